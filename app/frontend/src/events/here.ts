/**
 * When the reader was here last: kept in the browser for each server, so that a reload, a closed browser and another
 * tab know it too. Times are Unix seconds of the server's clock.
 */
import { create } from "zustand";

const KEY = "fedloom:here:";

/** A reader who is back sooner has missed nothing that is worth a word: a reload takes as long. */
const LEAST_AWAY_S = 10;

/** While the reader is here, so often it is kept. */
const KEEP_S = 5;

interface Kept {
  /** The newest time at which some tab with the page was looked at. */
  seen: number;
  /** Since when the reader has not said to know what happened; null: they know all. */
  left: number | null;
}

/** As it is in this tab. */
export const useHere = create<Pick<Kept, "left">>(() => ({ left: null }));

/** The reader looks at the page, for the first time or again. */
export function cameBack(server: string, now: number): void {
  const kept = read(server);
  const away = kept !== null && now - kept.seen > LEAST_AWAY_S ? kept.seen : null;
  // An absence of which the reader has not dismissed the news yet goes on to count.
  const left = kept?.left ?? away;
  write(server, { seen: now, left });
  useHere.setState({ left });
}

/** The reader looks elsewhere from now on. */
export function wentAway(server: string, now: number): void {
  write(server, { seen: now, left: read(server)?.left ?? null });
}

/** The reader looks on; it is kept every few seconds, in case that nobody hears of the end. */
export function looksOn(server: string, now: number): void {
  const kept = read(server);
  if (kept === null || now - kept.seen >= KEEP_S) write(server, { seen: now, left: kept?.left ?? null });
}

/** The reader knows what happened. */
export function dismissed(server: string, now: number): void {
  write(server, { seen: now, left: null });
  useHere.setState({ left: null });
}

function read(server: string): Kept | null {
  try {
    return keptIn(JSON.parse(localStorage.getItem(KEY + server) ?? "null"));
  } catch {
    return null; // the browser keeps nothing, or something else
  }
}

function keptIn(value: unknown): Kept | null {
  if (typeof value !== "object" || value === null) return null;
  const { seen, left = null } = value as Partial<Record<keyof Kept, unknown>>;
  if (typeof seen !== "number" || (left !== null && typeof left !== "number")) return null;
  return { seen, left };
}

function write(server: string, kept: Kept): void {
  try {
    localStorage.setItem(KEY + server, JSON.stringify(kept));
  } catch {
    return; // then the next visit begins without a word of what was before
  }
}
