import { useEffect } from "react";
import { useStore, type PageState } from "../store/store";
import { cameBack, looksOn, wentAway } from "./here";

/** By what the browser tells servers apart that were at the same address; null: it has not answered yet. */
export function serverOf({ server }: PageState): string | null {
  return server.audit?.log ?? server.instance;
}

/** Follows whether the page is looked at, on whichever of its pages the reader is. */
export function useWhetherHere(): void {
  const server = useStore(serverOf);
  useEffect(() => {
    if (server === null) return;
    const turned = (): void => {
      const { now } = useStore.getState();
      if (document.hidden) wentAway(server, now);
      else cameBack(server, now);
    };
    if (!document.hidden) turned();
    document.addEventListener("visibilitychange", turned);
    const unsubscribe = useStore.subscribe(({ now }, before) => {
      if (now !== before.now && !document.hidden) looksOn(server, now);
    });
    return () => {
      document.removeEventListener("visibilitychange", turned);
      unsubscribe();
    };
  }, [server]);
}
