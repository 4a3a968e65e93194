import type { ClientState } from "../api/types";
import type { Mark } from "../ui/StateMark";
import type { Note } from "./results";

export const CLIENT_MARKS: Record<ClientState, Mark> = {
  idle: ["ring", "quiet"],
  training: ["play", "good"],
  evaluating: ["diamond", "good"],
  late: ["clock", "warn"],
  lost: ["cross", "bad"],
};

/** Its key is not let in. */
export const SENT_AWAY: Mark = ["square", "bad"];

export const NOTE_MARKS: Record<Note["kind"], Mark> = {
  failed: ["cross", "bad"],
  late: ["clock", "warn"],
};
