import { beforeEach, describe, expect, it, vi } from "vitest";
import { logEntry } from "../testing/fixtures";
import { type LogSocket, trackLog } from "./follow";
import { linesCounted, linesReceived, tailBegan, useTail, watchTail } from "./tail";

const seqs = (): number[] => useTail.getState().lines.map(({ seq }) => seq);
const batch = (...numbers: number[]) => ({ logs: numbers.map((seq) => logEntry(seq)), complete: true });

beforeEach(() => useTail.setState(useTail.getInitialState(), true));

describe("new lines of the log", () => {
  it("are kept in order, each once, until the server has counted them", () => {
    tailBegan();
    linesReceived(batch(5, 6));
    linesReceived(batch(6, 7));
    expect(seqs()).toEqual([5, 6, 7]);
    linesCounted(6);
    expect(seqs()).toEqual([7]);
  });

  it("are asked for where too many came", () => {
    tailBegan();
    linesReceived(batch(5));
    const { epoch } = useTail.getState();
    linesReceived({ logs: [], complete: false });
    expect(seqs()).toEqual([]);
    expect(useTail.getState().epoch).not.toBe(epoch);
    linesReceived({ logs: Array.from({ length: 10_001 }, (_, seq) => logEntry(seq + 1)), complete: true });
    expect(seqs()).toEqual([]);
  });

  it("come while somebody looks, also after the connection was lost", () => {
    const heard: Record<string, () => void> = {};
    const emit = vi.fn((event: string, answered?: () => void) => {
      if (event === "follow_log") answered?.();
    });
    const on = (event: string, hears: () => void): void => {
      heard[event] = hears;
    };
    const socket = { connected: true, on, emit } as unknown as LogSocket;
    const stop = trackLog(socket);
    heard.connect?.();
    expect(emit).not.toHaveBeenCalled();

    const leave = watchTail();
    expect(useTail.getState()).toMatchObject({ following: true, epoch: 1 });
    heard.disconnect?.();
    expect(useTail.getState().following).toBe(false);
    heard.connect?.();
    expect(useTail.getState()).toMatchObject({ following: true, epoch: 2 });
    leave();
    expect(emit).toHaveBeenLastCalledWith("leave_log");
    expect(useTail.getState().following).toBe(false);
    stop();
  });
});
