/** Where the page is: at the root of its host, or below a path that a proxy has it at. */

/** The part of the address of one of the page's scripts that comes before FedLoom's own paths. */
export function baseOf(script: string): string {
  const { pathname } = new URL(script);
  const end = pathname.indexOf("/static/assets/");
  return end < 0 ? "" : pathname.slice(0, end);
}

/** What stands before `/api` and all other paths; empty at the root. */
export const BASE = baseOf(import.meta.url);

/** FedLoom's sign, which the server has beside the page's scripts. */
export const FAVICON = `${BASE}/static/favicon.svg`;
