/** What the address says of how the reader comes: after the #, so that no server and no proxy ever sees it. */
export type Entrance = { by: "password"; wrongKey: boolean } | { by: "setup"; token: string };

export function entranceOf(hash: string): Entrance {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const token = said.get("setup");
  if (token !== null && token !== "") return { by: "setup", token };
  return { by: "password", wrongKey: said.get("key") === "wrong" };
}

/** The entrance of this page; the address forgets it, so that it is in no history and on no screen. */
export function takeEntrance(): Entrance {
  const entrance = entranceOf(location.hash);
  if (location.hash.includes("=")) history.replaceState(null, "", location.pathname + location.search);
  return entrance;
}
