import { useEffect } from "react";
import { useLocation } from "wouter";
import { FAVICON } from "../api/base";
import { useStore } from "../store/store";
import { look, type Notice, type Seen } from "./watch";
import { wishNow } from "./wish";

/** Follows what happens as long as the page is open, and shows what is new while nobody looks at it. */
export function useNotices(): void {
  const [, go] = useLocation();
  useEffect(() => {
    let seen: Seen | null = null;
    return useStore.subscribe(({ server, now }, before) => {
      // Once a second and with each batch of what happens; before the first snapshot nothing is known.
      if (server.status === null || (server === before.server && now === before.now)) return;
      const found = look(seen, server, now);
      seen = found.seen;
      if (found.notices.length > 0 && !isLookedAt() && wishNow() === "on")
        for (const notice of found.notices) showNotice(notice, go);
    });
  }, [go]);
}

function isLookedAt(): boolean {
  return document.visibilityState === "visible" && document.hasFocus();
}

function showNotice({ key, title, body, to }: Notice, go: (to: string) => void): void {
  const shown = new Notification(title, { body, tag: key, icon: FAVICON });
  shown.onclick = () => {
    window.focus();
    go(to);
    shown.close();
  };
}
