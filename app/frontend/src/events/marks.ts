import type { LogLevel } from "../api/types";
import type { Mark } from "../ui/StateMark";

export const LEVEL_MARKS: Record<LogLevel, Mark> = {
  debug: ["dots", "quiet"],
  info: ["dot", "quiet"],
  warning: ["triangle", "warn"],
  error: ["cross", "bad"],
};

/** What a Flower app prints is no event: a sign of its own in place of a level's. */
export const PRINT_MARK: Mark = ["prompt", "quiet"];
