import { useMemo } from "react";
import type { Round } from "../api/types";
import { roundAt, shownRounds, useStore } from "../store/store";
import { evaluatedRounds, neighbours, pickRound } from "./tables";

interface EvaluatedRound {
  round: Round | null;
  /** All that were evaluated by class, ascending. */
  evaluated: readonly Round[];
  before: number | null;
  after: number | null;
  newest: boolean;
}

/** The round to show: the one under the pointer in the curves, else the chosen one, else the newest. */
export function useEvaluatedRound(): EvaluatedRound {
  const rounds = useStore(shownRounds);
  const wanted = useStore(roundAt);
  const evaluated = useMemo(() => evaluatedRounds(rounds), [rounds]);
  const round = pickRound(evaluated, wanted);
  return {
    round,
    evaluated,
    ...neighbours(evaluated, round?.round ?? null),
    newest: round === (evaluated.at(-1) ?? null),
  };
}
