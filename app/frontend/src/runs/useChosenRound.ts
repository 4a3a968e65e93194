import { useLayoutEffect } from "react";
import { useSearchParams } from "wouter";
import { roundChosen, shownRun, useStore } from "../store/store";

/** The round that the reader keeps, by the address (`?round=`), and how to keep another or, with null, none. */
export function useChosenRound(): [number | null, (round: number | null) => void] {
  const [params, setParams] = useSearchParams();
  const written = params.get("round");
  const round = written !== null && /^\d{1,9}$/.test(written) ? Number(written) : null;
  const choose = (to: number | null): void =>
    setParams(
      (before) => {
        if (to === null) before.delete("round");
        else before.set("round", String(to));
        return before;
      },
      { replace: true },
    );
  return [round, choose];
}

/** What shows a round finds it in the store; there it is what the address says. */
export function useRoundOfAddress(): void {
  const run = useStore((state) => shownRun(state)?.id ?? null);
  const [round] = useChosenRound();
  useLayoutEffect(() => {
    roundChosen(run === null || round === null ? null : { run, round });
  }, [run, round]);
}
