/** What a round was spent on, and what it moved. Pure functions. */
import type { Round } from "../api/types";
import { bytes, duration, latency } from "../format/format";
import type { Tokens } from "../styles/theme";
import { quantile } from "./scale";
import type { PanelKind } from "./view";

export interface Part {
  name: string;
  /** What it is, for the hover of its name. */
  about: string;
  colour: keyof Tokens;
}

export const PARTS: Record<PanelKind, readonly Part[]> = {
  times: [
    { name: "training", about: "until half of the clients had trained, by their own clocks", colour: "dim" },
    { name: "waiting", about: "from then on, until the slowest client had trained", colour: "warn" },
    {
      name: "moving, aggregating",
      about: "what is left of the round: models on their way, their sum, the server's own evaluation",
      colour: "line",
    },
    { name: "evaluating", about: "the slowest client's evaluation, by its own clock", colour: "text" },
  ],
  bytes: [
    { name: "down", about: "from the server to the clients", colour: "text" },
    { name: "up", about: "from the clients to the server", colour: "dim" },
  ],
};

/** One round's parts, in the order of `PARTS`: seconds or bytes. */
export interface Bar {
  round: number;
  values: readonly number[];
}

export function barsOf(kind: PanelKind, rounds: readonly Round[]): Bar[] {
  return rounds.flatMap((round) => {
    const values = kind === "times" ? timesOf(round) : bytesOf(round);
    return values === null ? [] : [{ round: round.round, values }];
  });
}

/** Of a round that is over. Clients measure their own work; the rest is what the server saw pass. */
function timesOf(round: Round): number[] | null {
  const { complete, duration_s } = round;
  if (!complete || duration_s === null) return null;
  const { half, slowest } = secondsOf(round, "train_s");
  const evaluating = secondsOf(round, "evaluate_s").slowest;
  // Clocks differ, and a client that was lost and came back may have worked for longer than the round that counted it.
  const fits = Math.min(1, duration_s / Math.max(slowest + evaluating, Number.MIN_VALUE));
  const rest = Math.max(0, duration_s - slowest - evaluating);
  return [half * fits, (slowest - half) * fits, rest, evaluating * fits];
}

/** How long the clients took for a phase: until half of them were done, and until the slowest was; 0: nobody tells. */
function secondsOf(
  { per_client, spread }: Round,
  phase: "train_s" | "evaluate_s",
): { half: number; slowest: number } {
  const told = spread[phase];
  if (told !== undefined) return { half: told.median, slowest: told.max };
  const seconds = Object.values(per_client).flatMap((part) => part[phase] ?? []);
  seconds.sort((a, b) => a - b);
  return { half: seconds.length > 0 ? quantile(seconds, 0.5) : 0, slowest: seconds.at(-1) ?? 0 };
}

function bytesOf({ sent_bytes, received_bytes }: Round): number[] | null {
  return sent_bytes === null || received_bytes === null ? null : [sent_bytes, received_bytes];
}

/** Of many rounds, the means of some beside each other; each group stands at its last round. */
export function grouped(bars: readonly Bar[], most: number): readonly Bar[] {
  if (bars.length <= most) return bars;
  const width = Math.ceil(bars.length / most);
  return Array.from({ length: Math.ceil(bars.length / width) }, (_, index) => {
    const group = bars.slice(index * width, (index + 1) * width);
    const first = group[0]?.values ?? [];
    const mean = (part: number): number =>
      group.reduce((sum, { values }) => sum + (values[part] ?? 0), 0) / group.length;
    return { round: group.at(-1)?.round ?? 0, values: first.map((_, part) => mean(part)) };
  });
}

export function totalOf({ values }: Bar): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** "0.4 s", "1:12", "1.6 MB" */
export function amount(kind: PanelKind, value: number): string {
  if (kind === "bytes") return bytes(value);
  return value < 60 ? latency(value) : duration(value);
}
