/** The pages that the header offers, one subject each. What they are about stands in the address. */
export const NAV = [
  { to: "/", title: "Live" },
  { to: "/runs", title: "Runs" },
  { to: "/clients", title: "Clients" },
  { to: "/data", title: "Data" },
  { to: "/network", title: "Network" },
  { to: "/system", title: "System" },
  { to: "/logs", title: "Logs" },
  { to: "/trust", title: "Trust" },
] as const;

/** Whether an address is a page's, or below it. */
export function isAt(path: string, to: string): boolean {
  return to === "/" ? path === "/" : path === to || path.startsWith(`${to}/`);
}

/** The pages that are about one run without its id in their path: the address has it behind a question mark. */
export const RUN_PARAM = "in";

export function isOfRun(path: string): boolean {
  return path === "/data" || path.startsWith("/clients/");
}

/** Where the run is that the page follows: on the same page, if that is of one. */
export function followedPath(path: string): string {
  return isOfRun(path) ? path : "/";
}
