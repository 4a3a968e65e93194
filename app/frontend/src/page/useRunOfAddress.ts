import { useEffect, useLayoutEffect, useRef } from "react";
import { useLocation, useRoute, useSearchParams } from "wouter";
import { runChosen, shownRun, useStore } from "../store/store";
import { isOfRun, RUN_PARAM } from "./nav";

/**
 * The run that the address names is the one that the page shows; without one it follows the active one. On the pages
 * that are of a run without its id in their path, the run that it follows is written into the address: who reloads the
 * page or opens a link that was sent has the same run later, while here the page goes on to follow.
 */
export function useRunOfAddress(): void {
  const [path] = useLocation();
  const [, below] = useRoute("/runs/:run/*?");
  const [params, setParams] = useSearchParams();
  /** What the page itself has written, and nobody has chosen. */
  const written = useRef<string | null>(null);
  const ofRun = isOfRun(path);
  const named = ofRun ? params.get(RUN_PARAM) : (below?.run ?? null);
  useLayoutEffect(() => {
    if (!ofRun) written.current = null;
    runChosen(named === "compare" || named === written.current ? null : named);
  }, [ofRun, named]);

  const followed = useStore((state) => (state.chosenRun === null ? (shownRun(state)?.id ?? null) : null));
  useEffect(() => {
    if (!ofRun || followed === null || followed === named || useStore.getState().chosenRun !== null) return;
    written.current = followed;
    setParams(
      (before) => {
        const after = new URLSearchParams(before);
        after.set(RUN_PARAM, followed);
        return after;
      },
      { replace: true },
    );
  }, [ofRun, named, followed, setParams]);
}
