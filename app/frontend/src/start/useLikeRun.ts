import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useSearchParams } from "wouter";
import { fetchRun } from "../api/requests";
import type { AppInfo, RunSpec } from "../api/types";

/** Fills the form once with the settings of the run that the address names (`?like=ID`). Returns what to say of it. */
export function useLikeRun(app: AppInfo | null, fill: (spec: Partial<RunSpec>) => void): string | null {
  const [search, setSearch] = useSearchParams();
  const id = search.get("like");
  const { data: run, error } = useQuery({
    queryKey: ["run like", id],
    queryFn: () => fetchRun(id ?? ""),
    enabled: id !== null,
  });
  const other = run !== undefined && run.spec.app !== (app?.name ?? null);
  useEffect(() => {
    if (run === undefined || other) return;
    fill(run.spec);
    // From here on the draft is the reader's own: a reload must not undo what is changed in it.
    setSearch(
      (before) => {
        before.delete("like");
        before.set("from", run.id);
        return before;
      },
      { replace: true },
    );
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once for each run
  }, [run, other]);
  if (error !== null) return `The settings of run ${id} could not be loaded: ${error.message}`;
  if (other)
    return `Run ${id} is of ${run.spec.app ?? "the built-in app"}, which this server does not run now: its settings do not fit.`;
  const from = search.get("from");
  return from === null ? null : `With the settings of run ${from}, which stays as it is.`;
}
