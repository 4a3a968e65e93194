import type { Verdict } from "../api/types";
import type { Mark } from "../ui/StateMark";
import type { Note } from "./results";

export const VERDICT_MARKS: Record<Verdict, Mark> = {
  accepted: ["check", "good"],
  bad_signature: ["cross", "bad"],
  unknown_key: ["cross", "bad"],
  revoked: ["cross", "bad"],
  replayed: ["cross", "bad"],
  wrong_round: ["cross", "bad"],
  wrong_base_model: ["cross", "bad"],
  late: ["clock", "warn"],
  malformed: ["triangle", "warn"],
  declined: ["square", "quiet"],
};
/** Its key is not let in. */
export const SENT_AWAY: Mark = ["square", "bad"];

export const NOTE_MARKS: Record<Note["kind"], Mark> = {
  failed: ["cross", "bad"],
  late: ["clock", "warn"],
  declined: ["square", "quiet"],
};
