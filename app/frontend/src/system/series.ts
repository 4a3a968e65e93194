/** From what the server answered and what the socket told since: one row for each node. Pure functions only. */
import type { Client, NodeSeries, Round, Usage } from "../api/types";
import { span } from "../format/format";
import { natural } from "../store/server-state";
import type { Usages } from "../store/usages";
import { type Extent, isLong } from "./history";

export interface Row {
  /** Null: the server. */
  client: string | null;
  name: string;
  /** What is drawn, oldest first. */
  usages: readonly Usage[];
  /** What was heard last. */
  newest: Usage | undefined;
  /** Why that is old, or missing, in words; null: it is of now. */
  why: string | null;
}

/** The time axis of all charts. */
export interface Axis {
  /** Unix seconds. */
  since: number;
  /** Seconds from there to the end. */
  span: number;
  /** A line is broken where nothing was heard for longer. */
  gap: number;
}

/** How much time a short axis shows, in seconds: the shortest of these with all that is known. */
const SPANS: readonly number[] = [60, 120, 300];

/** Seconds of the axis. A long one is as long as it says, also where nothing is known of its beginning. */
export function lengthOf(extent: Extent, lines: Usages, until: number): number {
  if (isLong(extent)) return extent.span;
  const first = Math.min(until, ...[...lines.values()].flatMap((usages) => usages[0]?.time ?? []));
  return SPANS.find((span) => span >= until - first) ?? extent.span;
}

/** So old a value is not of now any more: five are missing. */
export const STALE_S = 10;

export const WITHHELD = "its site does not let it tell what its machine is used for";

/** What is drawn of each node: the server's answer, and what was told since, of which one in `step` seconds is enough. */
export function linesOf(fetched: readonly NodeSeries[], told: Usages, since: number, step: number): Usages {
  const known = new Map(fetched.map(({ client, series }) => [client, series] as const));
  const nodes = new Set([...known.keys(), ...told.keys()]);
  return new Map(
    [...nodes].map((node) => {
      const before = known.get(node) ?? [];
      const last = before.at(-1)?.time ?? 0;
      const after = (told.get(node) ?? []).filter(({ time }) => time > last);
      return [node, [...before, ...thinned(after, step)].filter(({ time }) => time > since)];
    }),
  );
}

/** The last of each so many seconds. */
function thinned(usages: readonly Usage[], step: number): readonly Usage[] {
  if (step === 0) return usages;
  const place = ({ time }: Usage): number => Math.floor(time / step);
  return usages.filter((usage, at) => {
    const next = usages[at + 1];
    return next === undefined || place(next) !== place(usage);
  });
}

/** The server, then the clients in natural order. Who is not connected and has no values is left out. */
export function rowsOf(lines: Usages, told: Usages, clients: readonly Client[], now: number): Row[] {
  const connected = new Set(clients.filter(({ state }) => state !== "lost").map(({ id }) => id));
  const names = new Set<string>(connected);
  for (const client of lines.keys()) if (client !== null) names.add(client);
  const withholding = new Set(clients.filter((each) => each.withholds_usage).map(({ id }) => id));
  const nodes = [null, ...[...names].sort(natural.compare)];
  return nodes.flatMap((client) => {
    const usages = lines.get(client) ?? [];
    const there = client === null || connected.has(client);
    if (usages.length === 0 && !there) return [];
    const newest = later(usages.at(-1), told.get(client)?.at(-1));
    const withheld = client !== null && there && withholding.has(client);
    const why = withheld ? WITHHELD : whyOld(client, newest, there, now);
    return [{ client, name: client ?? "server", usages, newest, why }];
  });
}

function later(one: Usage | undefined, other: Usage | undefined): Usage | undefined {
  return other === undefined || (one !== undefined && one.time > other.time) ? one : other;
}

function whyOld(
  client: string | null,
  newest: Usage | undefined,
  there: boolean,
  now: number,
): string | null {
  if (!there) return "not connected";
  if (newest === undefined) return client === null ? "not measured yet" : "tells nothing of its machine";
  const age = now - newest.time;
  return age <= STALE_S ? null : `last heard of ${span(age)} ago`;
}

/** The moment nearest to a time; undefined: there is none within `gap` seconds. */
export function momentAt(usages: readonly Usage[], time: number, gap: number): Usage | undefined {
  let nearest: Usage | undefined;
  for (const usage of usages) {
    if (nearest === undefined || Math.abs(usage.time - time) <= Math.abs(nearest.time - time))
      nearest = usage;
  }
  return nearest !== undefined && Math.abs(nearest.time - time) <= gap ? nearest : undefined;
}

/** A line as SVG draws it, on a field of 100 × 100: broken where nothing was heard. */
export function pathOf(
  usages: readonly Usage[],
  valueOf: (usage: Usage) => number,
  { since, span, gap }: Axis,
  end: number,
): string {
  let before: number | null = null;
  return usages
    .map((usage) => {
      const pen = before !== null && usage.time - before <= gap ? "L" : "M";
      before = usage.time;
      const x = ((usage.time - since) / span) * 100;
      const y = 100 - Math.min(1, Math.max(0, valueOf(usage) / end)) * 100;
      return `${pen}${x.toFixed(2)} ${y.toFixed(2)}`;
    })
    .join("");
}

export interface Band {
  round: number;
  /** Percent of the axis. */
  from: number;
  width: number;
}

/** More would be thinner than a pixel or two, and one grey. */
const MOST_BANDS = 300;

/** Where the rounds of a run lie on the axis, at whose end stands the round that goes on. */
export function bandsOf(rounds: readonly Round[], { since, span }: Axis): Band[] {
  const now = since + span;
  const percent = 100 / span;
  const bands = rounds.flatMap(({ round, started_at, duration_s }): Band[] => {
    const from = Math.max(since, started_at);
    const to = Math.min(now, duration_s === null ? now : started_at + duration_s);
    if (to <= from) return [];
    return [{ round, from: (from - since) * percent, width: (to - from) * percent }];
  });
  return bands.length > MOST_BANDS ? [] : bands;
}

export function roundAtTime(rounds: readonly Round[], time: number): number | null {
  const found = rounds.find(
    ({ started_at, duration_s }) =>
      started_at <= time && (duration_s === null || time <= started_at + duration_s),
  );
  return found?.round ?? null;
}
