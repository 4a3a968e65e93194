import { useParam } from "../ui/useParam";
import type { EventFilter } from "./filters";

const FILTERS = ["all", "info", "warning", "error", "app"] as const satisfies readonly EventFilter[];

/** Which events the reader wants to see, as it stands in the address. */
export function useEventFilter(): [EventFilter, (filter: EventFilter) => void] {
  return useParam("events", FILTERS);
}
