/** The order of the runs in their list. Pure functions. */
import { isActive, type Run } from "../api/types";

/** From runs newest first: the active one, then those that are queued in the order in which they start, then the rest. */
export function listOrder(newestFirst: readonly Run[]): Run[] {
  return [
    ...newestFirst.filter(({ state }) => isActive(state)),
    ...newestFirst.filter(({ state }) => state === "queued").reverse(),
    ...newestFirst.filter(({ state }) => !isActive(state) && state !== "queued"),
  ];
}
