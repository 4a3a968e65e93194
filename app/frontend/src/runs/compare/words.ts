/** What the comparison says. Pure functions. */
import type { Outcome, Setting } from "../../api/types";
import { RUN_SPEC } from "../../api/run-spec";
import { duration, NO_DATA } from "../../format/format";

/** Of the final accuracies, in points of per cent: "+1.2", "−0.4". */
export function differenceWords(outcome: Outcome, baseline: Outcome | undefined): string {
  if (outcome.final === null || baseline?.final == null) return NO_DATA;
  const points = (outcome.final.accuracy - baseline.final.accuracy) * 100;
  const size = Math.abs(points).toFixed(1);
  if (size === "0.0") return "±0.0";
  return points > 0 ? `+${size}` : `−${size}`;
}

/** "1:20, round 3" */
export function reachedWords(reached: Outcome["reached"]): string {
  return reached === null ? NO_DATA : `${duration(reached.seconds)}, round ${reached.round}`;
}

/** The form's name for a setting; within a group its own. */
export function settingTitle(name: string): string {
  const known: Readonly<Record<string, { form: { title: string } | null }>> = RUN_SPEC;
  return known[name]?.form?.title ?? name.replaceAll("_", " ");
}

export function settingValue(value: Setting["values"][number] | undefined): string {
  if (value === null || value === undefined) return NO_DATA;
  return typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
}
