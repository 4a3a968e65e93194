import { beforeEach, describe, expect, it, vi } from "vitest";
import { run, snapshot } from "../testing/fixtures";
import { openSocket } from "./socket";
import { useStore } from "./store";

type Listener = (...values: unknown[]) => void;

/** What the library offers of a connection, played by hand. */
const { socket, options } = vi.hoisted(() => {
  const listeners = new Map<string, Listener[]>();
  return {
    options: {} as { auth: (send: (auth: unknown) => void) => void },
    socket: {
      active: true,
      connect: vi.fn(),
      disconnect: vi.fn(),
      on: (event: string, listener: Listener) => {
        listeners.set(event, [...(listeners.get(event) ?? []), listener]);
      },
      play: (event: string, ...values: unknown[]) => {
        for (const listener of listeners.get(event) ?? []) listener(...values);
      },
      silence: () => listeners.clear(),
    },
  };
});

vi.mock("socket.io-client", () => ({
  io: (given: typeof options) => {
    Object.assign(options, given);
    return socket;
  },
}));

const update = (seq: number, round: number) => ({
  seq,
  time: 200,
  type: "run_update",
  data: run({ id: "aa", round }),
});
const batch = (...events: unknown[]) => ({ events, usage: null, links: null });
const askWho = vi.fn(() => Promise.resolve());
const connection = (): string => useStore.getState().connection.state;
const sentAtConnect = (): unknown => {
  const send = vi.fn();
  options.auth(send);
  return send.mock.lastCall?.[0];
};

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  socket.silence();
  socket.connect.mockClear();
  socket.active = true;
  useStore.setState(useStore.getInitialState(), true);
  openSocket(askWho);
});

describe("the socket", () => {
  it("asks for everything at first, and after a cut for what it missed", () => {
    expect(sentAtConnect()).toEqual({ instance: null, since: null });
    socket.play("connect");
    socket.play("snapshot", snapshot({ instance: "one", seq: 10, runs: [run({ id: "aa" })] }));
    socket.play("batch", batch(update(12, 5)));
    socket.play("disconnect", "transport close");
    expect(sentAtConnect()).toEqual({ instance: "one", since: 12 });
  });

  it("changes the page once for all batches that come together", () => {
    socket.play("snapshot", snapshot({ runs: [run({ id: "aa" })] }));
    vi.runAllTimers();
    const drawn = vi.fn();
    const stop = useStore.subscribe(drawn);
    socket.play("batch", batch(update(11, 5)));
    socket.play("batch", batch(update(12, 6)));
    expect(drawn).not.toHaveBeenCalled();
    vi.runAllTimers();
    stop();
    expect(drawn).toHaveBeenCalledOnce();
    expect(useStore.getState().server.runs[0]?.round).toBe(6);
  });

  it("takes a snapshot in place of what it has not shown yet", () => {
    socket.play("batch", batch(update(11, 5)));
    socket.play("snapshot", snapshot({ seq: 12, runs: [run({ id: "aa", round: 7 })] }));
    vi.runAllTimers();
    expect(useStore.getState().server.runs.map(({ round }) => round)).toEqual([7]);
  });

  it("takes a snapshot in a task of its own, and then what came after it", () => {
    socket.play("snapshot", snapshot({ seq: 10, runs: [run({ id: "aa" })] }));
    socket.play("batch", batch(update(11, 5)));
    expect(useStore.getState().server.instance).toBeNull();
    vi.runAllTimers();
    expect(useStore.getState().server.runs.map(({ round }) => round)).toEqual([5]);
  });

  it("applies nothing of an old connection over a new server's snapshot", () => {
    socket.play("snapshot", snapshot({ runs: [run({ id: "aa" })] }));
    socket.play("batch", batch(update(500, 9)));
    socket.play("disconnect", "transport close");
    socket.play("snapshot", snapshot({ instance: "two", seq: 3, runs: [] }));
    vi.runAllTimers();
    expect(useStore.getState().server.runs).toEqual([]);
  });
});

describe("a connection that is lost", () => {
  it("is being restored, and after a while the server is unreachable", () => {
    socket.play("connect");
    expect(connection()).toBe("connected");
    socket.play("disconnect", "transport close");
    expect(connection()).toBe("reconnecting");
    vi.advanceTimersByTime(7_000);
    socket.play("connect_error");
    expect(connection()).toBe("reconnecting");
    vi.advanceTimersByTime(1_000);
    socket.play("connect_error");
    expect(connection()).toBe("unreachable");
    socket.play("connect");
    expect(connection()).toBe("connected");
  });

  it("was never there where the first attempt fails", () => {
    socket.play("connect_error");
    expect(connection()).toBe("unreachable");
  });

  it("is tried again where the library has given up", () => {
    socket.play("disconnect", "io server disconnect");
    expect(socket.connect).toHaveBeenCalledTimes(1);
    socket.active = false;
    socket.play("connect_error");
    vi.advanceTimersByTime(2_000);
    expect(socket.connect).toHaveBeenCalledTimes(2);
  });
});
