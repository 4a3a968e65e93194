/** Whether this browser shows notifications: the reader's wish, kept in the browser, and the browser's own leave. */
import { create } from "zustand";

const KEY = "fedloom:notifications";

/** off: not wished; on; insecure, none, denied: why it cannot be. */
export type Wish = "off" | "on" | "insecure" | "none" | "denied";

interface Wished {
  wish: Wish;
}

export const useWish = create<Wished>(() => ({ wish: wishNow() }));

/** What the browser lets us do now; the reader may have changed it in another tab or in the browser's settings. */
export function wishNow(): Wish {
  if (!window.isSecureContext) return "insecure";
  if (typeof Notification === "undefined") return "none";
  if (Notification.permission === "denied") return "denied";
  return isKept() && Notification.permission === "granted" ? "on" : "off";
}

/** The reader has pressed: the browser asks them, if it has not yet. */
export async function turnOn(): Promise<void> {
  if (wishNow() === "off" && (await Notification.requestPermission()) === "granted") keep(true);
  renew();
}

export function turnOff(): void {
  keep(false);
  renew();
}

function renew(): void {
  useWish.setState({ wish: wishNow() });
}

function isKept(): boolean {
  try {
    return localStorage.getItem(KEY) === "on";
  } catch {
    return false;
  }
}

/** In a browser that keeps nothing, notifications cannot be on: they would be back by themselves. */
function keep(on: boolean): void {
  try {
    if (on) localStorage.setItem(KEY, "on");
    else localStorage.removeItem(KEY);
  } catch {
    return;
  }
}
