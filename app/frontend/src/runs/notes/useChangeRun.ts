import { useQueryClient } from "@tanstack/react-query";
import { changeRun } from "../../api/requests";
import type { RunChange } from "../../api/types";

/** Changes what people say of a run; lists of runs are asked for anew, also of those that the socket does not tell of. */
export function useChangeRun(runId: string): (change: Partial<RunChange>) => Promise<void> {
  const queries = useQueryClient();
  return async (change) => {
    await changeRun(runId, change);
    await queries.invalidateQueries({ queryKey: ["runs"] });
  };
}

/** "paper, final" → two tags */
export function tagsIn(text: string): string[] {
  return text
    .split(",")
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
}
