import { useEffect } from "react";
import { activeRun, isStale, roundsOf, shownRun, useStore } from "../store/store";
import { tabIcon, tabState, tabTitle } from "./tab";

/** The tab is about the run that is on, else about the one on the page: words for who reads, a sign for who glances. */
export function useTab(): void {
  const title = useStore((state) => {
    const run = activeRun(state) ?? shownRun(state);
    const newest = roundsOf(state, run).findLast(({ accuracy }) => accuracy !== null);
    return tabTitle(run, newest?.accuracy ?? run?.final?.accuracy ?? null, isStale(state));
  });
  const icon = useStore((state) => tabState(activeRun(state) ?? shownRun(state), isStale(state)));
  useEffect(() => {
    document.title = title;
  }, [title]);
  useEffect(() => {
    document.querySelector('link[rel="icon"]')?.setAttribute("href", tabIcon(icon));
  }, [icon]);
}
