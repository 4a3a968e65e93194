/** New lines of the log as the server streams them, while somebody looks at it. */
import { create } from "zustand";
import type { LogBatch, LogEntry } from "../api/types";

export interface Tail {
  /** How many parts of the page look at the log. */
  watchers: number;
  /** Another number means that lines may be missing before those that are here: what there is has to be asked for. */
  epoch: number;
  /** Whether every line from now on comes. */
  following: boolean;
  /** Oldest first. */
  lines: readonly LogEntry[];
}

/** More lines than that are better asked for. */
const MOST = 10_000;

export const useTail = create<Tail>(() => ({ watchers: 0, epoch: 0, following: false, lines: [] }));

/** Returns how to stop. */
export function watchTail(): () => void {
  useTail.setState(({ watchers }) => ({ watchers: watchers + 1 }));
  return () => useTail.setState(({ watchers }) => ({ watchers: watchers - 1 }));
}

/** The server sends what is new, from now on. */
export function tailBegan(): void {
  useTail.setState(({ epoch }) => ({ epoch: epoch + 1, following: true, lines: [] }));
}

export function tailEnded(): void {
  useTail.setState({ following: false });
}

export function linesReceived({ logs, complete }: LogBatch): void {
  useTail.setState(({ epoch, following, lines }) => {
    if (!following) return {};
    const last = lines.at(-1)?.seq ?? 0;
    const longer = [...lines, ...logs.filter(({ seq }) => seq > last)];
    if (complete && longer.length <= MOST) return { lines: longer };
    return { epoch: epoch + 1, lines: [] };
  });
}

/** There are so many that the older ones are better asked for. */
export function tailTooLong(): void {
  useTail.setState(({ epoch }) => ({ epoch: epoch + 1 }));
}

/** The server has counted all up to this number. */
export function linesCounted(last: number): void {
  useTail.setState(({ lines }) =>
    (lines[0]?.seq ?? Infinity) <= last ? { lines: lines.filter(({ seq }) => seq > last) } : {},
  );
}
