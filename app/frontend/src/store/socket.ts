/** Keeps the store in step with the server over Socket.IO, through lost connections and server restarts. */
import { io, type Socket } from "socket.io-client";
import { browserTime, connectionChanged, eventsReceived, snapshotReceived, useStore } from "./store";
import type { ServerEvent, Snapshot } from "../api/types";

type ServerToPage = { snapshot: (snapshot: Snapshot) => void } & {
  [Event in ServerEvent as Event["type"]]: (event: Event) => void;
};

/** Every kind of event, so that a new one that nobody listens to does not compile. */
const KINDS: Record<ServerEvent["type"], true> = {
  run_update: true,
  metrics_update: true,
  client_update: true,
  client_gone: true,
  log: true,
  verdict: true,
  store_update: true,
  audit_update: true,
};

type PageSocket = Socket<ServerToPage, Record<string, never>>;

/** After this many seconds of failed attempts the page says that the server is unreachable. */
const UNREACHABLE_AFTER_S = 8;
/** Events that arrive within this time change the page once. */
const BATCH_MS = 16;
const RETRY_REFUSED_MS = 2000;

/** `askWho`: called when the server has let this page in, or has not, which may be for who reads it. */
export function openSocket(askWho: () => Promise<void>): () => void {
  const socket: PageSocket = io({
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
  return () => {
    socket.disconnect();
  };
}

function trackData(socket: PageSocket): void {
  let pending: ServerEvent[] = [];
  let scheduled = false;
  const flush = (): void => {
    scheduled = false;
    const events = pending;
    pending = [];
    eventsReceived(events);
  };
  const enqueue = (event: ServerEvent): void => {
    pending.push(event);
    if (scheduled) return;
    scheduled = true;
    setTimeout(flush, BATCH_MS);
  };
  socket.on("snapshot", snapshotReceived);
  for (const kind of Object.keys(KINDS) as ServerEvent["type"][]) socket.on(kind, enqueue);
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
