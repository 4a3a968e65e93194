import type { RunState } from "../api/types";
import type { Mark } from "../ui/StateMark";

export const RUN_MARKS: Record<RunState, Mark> = {
  queued: ["ring", "quiet"],
  waiting: ["half", "warn"],
  running: ["play", "good"],
  paused: ["pause", "plain"],
  completed: ["check", "good"],
  stopped: ["square", "quiet"],
  failed: ["cross", "bad"],
  interrupted: ["bolt", "warn"],
};
