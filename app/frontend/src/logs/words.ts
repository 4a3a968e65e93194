/** Lines of the log as the page writes them. Pure functions. */
import type { LogEntry } from "../api/types";
import { exactTime } from "../format/format";
import { ownFrames } from "../ui/raised";

// Colours and cursor movements, as programs write them for terminals.
// eslint-disable-next-line no-control-regex -- those are what is looked for
const TERMINAL = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
/** Control characters but tab and line end, and those that turn the direction of writing. */
// eslint-disable-next-line no-control-regex -- those are what is looked for
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The text without what is meant for a terminal; other characters that cannot be seen have a sign in their place. */
export function seen(text: string): string {
  return text.replace(TERMINAL, "").replace(/\r\n/g, "\n").replace(UNSEEN, "\u2426");
}

/** One line that says it: of an error, what was raised stands behind its words. */
export function summaryOf({ message, traceback }: LogEntry): string {
  const [first = ""] = seen(message).trimStart().split("\n", 1);
  const raised = traceback === null ? "" : (seen(traceback).trimEnd().split("\n").at(-1) ?? "");
  return raised === "" || first.includes(raised.trim()) ? first : `${first} · ${raised.trim()}`;
}

/** A line as it is copied: its own first, then the frame in one's own code, then all of the traceback. */
export function copyOf(entry: LogEntry): string {
  const { time, source, level, logger, message, traceback } = entry;
  const head = `${exactTime(time)} ${source} ${level} ${logger}: ${seen(message)}`;
  if (traceback === null) return head;
  const [own = null] = ownFrames(traceback);
  return [head, ...(own === null ? [] : [own]), seen(traceback).trimEnd()].join("\n");
}

/** When a text means: "round 3" as the number of a round, else Unix seconds; null: neither. `now` in Unix seconds. */
export function momentOf(text: string, now: number): { round: number } | { time: number } | null {
  const round = /^\s*(?:round|r)\s*(\d{1,9})\s*$/i.exec(text)?.[1];
  if (round !== undefined) return { round: Number(round) };
  const given = /^\s*(?:(\d{4})-(\d\d?)-(\d\d?)[ T]+)?(\d\d?):(\d\d)(?::(\d\d))?\s*$/.exec(text);
  if (given === null) return null;
  const [, year, month, day, hour, minute, second] = given;
  const clock = [Number(hour), Number(minute), Number(second ?? 0)] as const;
  if (clock[0] > 23 || clock[1] > 59 || clock[2] > 59) return null;
  const at = new Date(now * 1000);
  if (year !== undefined) at.setFullYear(Number(year), Number(month) - 1, Number(day));
  at.setHours(...clock, 0);
  const time = at.getTime() / 1000;
  return { time: year === undefined && time > now ? time - 86_400 : time };
}
