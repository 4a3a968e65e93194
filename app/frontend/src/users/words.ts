import type { Me } from "../api/types";

/** What the page calls its reader. */
export function nameOf(me: Me): string {
  if (me.name !== null) return me.name;
  return me.by === "owner" ? "this computer" : "key";
}

/** How the server knows its reader. */
export function byWords(me: Me): string {
  switch (me.by) {
    case "owner":
      return "you started the server";
    case "key":
      return "you have the server’s key";
    case "session":
      return `logged in as ${nameOf(me)}`;
    case "token":
      return `token ${nameOf(me)}`;
  }
}

/** As the server has it. */
export const SHORTEST_PASSWORD = 10;
