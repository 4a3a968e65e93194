/** What the invitation form holds, and what it asks the server for. Pure functions. */
import type { InvitationKind, InvitationWish } from "../api/types";

export const KINDS: Record<InvitationKind, string> = {
  "one-off": "for one client",
  reusable: "for many clients",
  ephemeral: "for clients that come and go",
  approval: "without a secret: you approve each client",
};

/** Seconds from now; null: never. */
export const TIMES: readonly (readonly [string, number | null])[] = [
  ["1 hour", 3600],
  ["1 day", 86_400],
  ["7 days", 604_800],
  ["30 days", 2_592_000],
  ["never", null],
];

export interface Wish {
  kind: InvitationKind;
  label: string;
  /** One of `TIMES`. */
  expires: string;
  /** As typed; empty: any number. */
  limit: number | string;
  host: string;
}

export const FIRST_WISH: Wish = { kind: "one-off", label: "", expires: "7 days", limit: "", host: "" };

/** An invitation to wait for approval is not kept, and so has no label and no end. */
export function wishFor({ kind, label, expires, limit, host }: Wish): Partial<InvitationWish> {
  const at = host.trim() === "" ? {} : { host: host.trim() };
  if (kind === "approval") return { kind, ...at };
  const expires_s = TIMES.find(([name]) => name === expires)?.[1] ?? null;
  const max_uses = hasLimit(kind) && limit !== "" ? { max_uses: Number(limit) } : {};
  return { kind, label: label.trim(), expires_s, ...max_uses, ...at };
}

export function hasLimit(kind: InvitationKind): boolean {
  return kind === "reusable" || kind === "ephemeral";
}

/**
 * At which name or address machines elsewhere reach a server that listens at `host`, as far as the page, opened at
 * `page`, can know; null: at none, or at one that only its people know.
 */
export function addressElsewhere(host: string, page: string): string | null {
  if (isLoopback(host)) return null;
  if (host !== "0.0.0.0" && host !== "::") return host;
  const name = page.replace(/^\[(.*)\]$/, "$1");
  return isLoopback(name) ? null : name;
}

/** Whether nobody but this machine reaches a server that listens there. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
