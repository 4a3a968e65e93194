/** Who the reader is to the server, and what they may do. */
import { create } from "zustand";
import { proof, RequestFailed } from "../api/http";
import { fetchMe } from "../api/requests";
import type { Me, Role } from "../api/types";

interface Who {
  /** asking: not known yet; away: the server cannot be asked; out: it does not know the reader. */
  state: "asking" | "away" | "out" | "in";
  me: Me | null;
}

export const useWho = create<Who>(() => ({ state: "asking", me: null }));

proof.csrf = () => useWho.getState().me?.csrf ?? null;

const RANK: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

export function mayBe(me: Me | null, role: Role): boolean {
  return me !== null && RANK[me.role] >= RANK[role];
}

/** Whether the reader has a role, or one above it. */
export function useMay(role: Role): boolean {
  return useWho(({ me }) => mayBe(me, role));
}

export function cameIn(me: Me): void {
  useWho.setState({ state: "in", me });
}

/** Asks the server. Without an answer everything stays as it was: the page says by itself that the server is away. */
export async function askWho(): Promise<void> {
  try {
    cameIn(await fetchMe());
  } catch (error) {
    if (error instanceof RequestFailed && error.status === 401) useWho.setState({ state: "out", me: null });
    else if (useWho.getState().state === "asking") useWho.setState({ state: "away" });
  }
}
