import type { Mark } from "../ui/StateMark";
import type { PeerState } from "./network";

export const PEER_MARKS: Record<PeerState, Mark> = {
  online: ["disc", "good"],
  rejoined: ["check", "good"],
  stale: ["half", "warn"],
  alone: ["ring", "warn"],
  connected: ["disc", "quiet"],
  blocked: ["square", "bad"],
  offline: ["cross", "bad"],
};
