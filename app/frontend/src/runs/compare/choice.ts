/** What is compared, as the address has it. Pure functions. */
import { AXES, type Axis } from "./curves";

export interface CompareChoice {
  ids: readonly string[];
  /** The run from which the others differ by so much; one that is not compared is as none. */
  baseline: string | null;
  metric: string;
  axis: Axis;
}

export function compareChoiceOf(params: URLSearchParams): CompareChoice {
  const ids = (params.get("ids") ?? "").split(",").filter((id) => id !== "");
  return {
    ids: [...new Set(ids)],
    baseline: params.get("baseline"),
    metric: params.get("metric") ?? "accuracy",
    axis: AXES.find((each) => each === params.get("axis")) ?? "round",
  };
}

/** The address with this choice; what else stands in it stays. */
export function compareParamsOf(
  { ids, baseline, metric, axis }: CompareChoice,
  before = new URLSearchParams(),
): URLSearchParams {
  const params = new URLSearchParams(before);
  const written = {
    ids: ids.join(","),
    baseline,
    metric: metric === "accuracy" ? null : metric,
    axis: axis === "round" ? null : axis,
  };
  for (const [name, value] of Object.entries(written)) {
    if (value === null) params.delete(name);
    else params.set(name, value);
  }
  return params;
}
