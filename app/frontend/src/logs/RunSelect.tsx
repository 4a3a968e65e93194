import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { fetchRuns } from "../api/requests";
import type { Run } from "../api/types";
import { useStore } from "../store/store";
import styles from "./Logs.module.css";

/** After the last key, so long the reader may go on to type. */
const TYPING_MS = 250;
/** Of the runs that match what is typed, so many are offered. */
const OFFERED = 50;

interface RunSelectProps {
  /** Null: all runs. */
  chosen: string | null;
  choose: (run: string | null) => void;
}

/** One of the server's runs: the newest are offered, and what is typed is searched for among all of them. */
export function RunSelect({ chosen, choose }: RunSelectProps) {
  const newest = useStore((state) => state.server.runs);
  const instance = useStore((state) => state.server.instance);
  const [typed, setTyped] = useState("");
  // What stands there when nobody has typed is the chosen run.
  const text = typed === chosen ? "" : typed.trim();
  const [asked] = useDebouncedValue(text, TYPING_MS);
  const { data, error } = useQuery({
    queryKey: ["runs for the log", instance, asked],
    queryFn: async () => (await fetchRuns({ q: asked, limit: OFFERED })).runs,
    enabled: asked !== "",
    gcTime: 0,
  });
  const found = useMemo(
    () => (text === "" ? newest.slice(0, OFFERED) : text === asked ? (data ?? NONE) : NONE),
    [text, asked, newest, data],
  );
  const offered = useMemo(() => new Map(found.map(({ id, name }) => [id, name])), [found]);
  const ids = [...offered.keys()];
  return (
    <Select
      className={styles.select ?? ""}
      size="xs"
      aria-label="run"
      placeholder="all runs"
      data={chosen === null || offered.has(chosen) ? ids : [chosen, ...ids]}
      value={chosen}
      onChange={choose}
      onSearchChange={setTyped}
      // The server has looked at names, tags and notes as well: what it has found stays.
      filter={({ options }) =>
        text === "" ? options : options.filter((each) => "value" in each && offered.has(each.value))
      }
      renderOption={({ option: { value } }) => (
        <span className="ellipsis">
          <span className="mono">{value}</span> {offered.get(value)}
        </span>
      )}
      nothingFoundMessage={
        error?.message ?? (data === undefined || text !== asked ? "searching…" : "no run is like this")
      }
      searchable
      clearable
      data-testid="log-run"
    />
  );
}

const NONE: readonly Run[] = [];
