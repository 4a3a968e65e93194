/** Keeps the store in step with the server over Socket.IO, through lost connections and server restarts. */
import { io, type Socket } from "socket.io-client";
import { trackLog } from "../logs/follow";
import { BASE } from "../api/base";
import { batchesReceived, browserTime, connectionChanged, snapshotReceived, useStore } from "./store";
import type { Batch, LogBatch, Snapshot } from "../api/types";

interface ServerToPage {
  snapshot: (snapshot: Snapshot) => void;
  batch: (batch: Batch) => void;
  log_lines: (batch: LogBatch) => void;
}

/** Each is answered. */
interface PageToServer {
  follow_log: (answered: () => void) => void;
  leave_log: () => void;
}

type PageSocket = Socket<ServerToPage, PageToServer>;

/** After this many seconds of failed attempts the page says that the server is unreachable. */
const UNREACHABLE_AFTER_S = 8;
/** What arrives within this time, as it does where the page had other things to do, changes it once. */
const TOGETHER_MS = 16;
const RETRY_REFUSED_MS = 2000;

/** `askWho`: called when the server has let this page in, or has not, which may be for who reads it. */
export function openSocket(askWho: () => Promise<void>): () => void {
  const socket: PageSocket = io({
    path: `${BASE}/socket.io`,
    // Not first by requests, of which a proxy would have to send all to the same one of several servers.
    transports: ["websocket"],
    // A function, so that each reconnect names the newest event seen, not the one at page load.
    auth: (send) => {
      const { instance, seq } = useStore.getState().server;
      send({ instance, since: instance === null ? null : seq });
    },
    reconnectionDelay: 500,
    reconnectionDelayMax: 2000,
  });
  trackData(socket);
  trackConnection(socket, askWho);
  const stopLog = trackLog(socket);
  return () => {
    stopLog();
    socket.disconnect();
  };
}

function trackData(socket: PageSocket): void {
  let fresh: Snapshot | null = null;
  let pending: Batch[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    const [snapshot, batches] = [fresh, pending];
    [fresh, pending, timer] = [null, [], undefined];
    if (snapshot !== null) snapshotReceived(snapshot);
    if (batches.length > 0) batchesReceived(batches);
  };
  // In a task of its own: to read what came takes long enough where there are a thousand clients.
  const flushSoon = (): void => {
    timer ??= setTimeout(flush, TOGETHER_MS);
  };
  socket.on("snapshot", (snapshot) => {
    [fresh, pending] = [snapshot, []]; // it has all of that
    flushSoon();
  });
  socket.on("batch", (batch) => {
    pending.push(batch);
    flushSoon();
  });
  // What the old connection brought must not be applied over the new server's snapshot.
  socket.on("disconnect", flush);
}

function trackConnection(socket: PageSocket, askWho: () => Promise<void>): void {
  let lostAt: number | null = null;
  socket.on("connect", () => {
    lostAt = null;
    connectionChanged("connected");
    void askWho();
  });
  socket.on("disconnect", (reason) => {
    lostAt = browserTime();
    connectionChanged("reconnecting", lostAt);
    // The library leaves a connection that the server closed on purpose alone; a restart closes it that way.
    if (reason === "io server disconnect") socket.connect();
  });
  socket.on("connect_error", () => {
    void askWho();
    const since = lostAt ?? useStore.getState().connection.since;
    const neverConnected = lostAt === null;
    if (neverConnected || browserTime() - since >= UNREACHABLE_AFTER_S)
      connectionChanged("unreachable", since);
    // Not active: the server refused the handshake and the library gave up.
    if (!socket.active) setTimeout(() => socket.connect(), RETRY_REFUSED_MS);
  });
}
