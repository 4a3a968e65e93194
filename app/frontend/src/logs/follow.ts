/** Has the server send new lines of the log over the socket while some part of the page wants them. */
import type { LogBatch } from "../api/types";
import { linesReceived, tailBegan, tailEnded, useTail } from "./tail";

/** What is used of the page's socket. */
export interface LogSocket {
  connected: boolean;
  on(event: "connect" | "disconnect", heard: () => void): unknown;
  on(event: "log_lines", heard: (batch: LogBatch) => void): unknown;
  emit(event: "follow_log", answered: () => void): unknown;
  emit(event: "leave_log"): unknown;
}

/** Returns how to stop. */
export function trackLog(socket: LogSocket): () => void {
  const follow = (): void => {
    socket.emit("follow_log", () => {
      if (socket.connected && useTail.getState().watchers > 0) tailBegan();
    });
  };
  socket.on("connect", () => {
    if (useTail.getState().watchers > 0) follow();
  });
  socket.on("disconnect", tailEnded);
  socket.on("log_lines", linesReceived);
  return useTail.subscribe((now, before) => {
    if (!socket.connected || now.watchers > 0 === before.watchers > 0) return;
    if (now.watchers > 0) {
      follow();
    } else {
      socket.emit("leave_log");
      tailEnded();
    }
  });
}
