import type { LogLevel } from "../api/types";
import type { Mark } from "../ui/StateMark";

export const LEVEL_MARKS: Record<LogLevel, Mark> = {
  debug: ["dots", "quiet"],
  info: ["dot", "quiet"],
  warning: ["triangle", "warn"],
  error: ["cross", "bad"],
};
