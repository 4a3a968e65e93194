import { useEffect } from "react";
import { fetchStatus } from "../api/http";
import { statusFetched, useStore } from "../store/store";

const EVERY_MS = 5000;

/** Asks for the server's status again and again: no event tells whether the store works. */
export function useStatus(): void {
  const connected = useStore((state) => state.connection.state === "connected");
  useEffect(() => {
    if (!connected) return;
    const timer = setInterval(() => {
      // A lost connection is told elsewhere, and the next answer makes up for this one.
      if (!document.hidden) fetchStatus().then(statusFetched, () => undefined);
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, [connected]);
}
