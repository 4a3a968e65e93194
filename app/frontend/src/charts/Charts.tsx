import { useMemo } from "react";
import { isOver } from "../api/types";
import { shownRounds, shownRun, useStore } from "../store/store";
import { ChartPanel } from "./ChartPanel";
import { FIRST, FIRST_OF_PRIVATE, offeredMetrics, shownOfBuiltIn, SLOTS, shownMetrics } from "./choice";
import { MetricSelect } from "./MetricSelect";
import { useChosenMetrics } from "./useChosenMetrics";

/** By this name the reader's choice for private runs of the built-in app is kept; no app has it. */
const PRIVATE = "(private)";

/** Two curves of the shown run: accuracy and loss, or what else it has that the reader can choose. */
export function Charts({ failure }: { failure: string | null }) {
  const run = useStore(shownRun);
  const rounds = useStore(shownRounds);
  const app = run?.spec.app ?? null;
  const isPrivate = run?.spec.dp != null;
  const over = run !== null && isOver(run.state);
  const [chosen, choose] = useChosenMetrics(app ?? (isPrivate ? PRIVATE : null));
  const offered = useMemo(() => {
    if (app === null) return isPrivate ? [...Object.values(FIRST), FIRST_OF_PRIVATE.loss] : [];
    return offeredMetrics(rounds);
  }, [app, isPrivate, rounds]);
  const shown = useMemo(() => {
    if (app === null) return shownOfBuiltIn(isPrivate, chosen);
    const settled = over || rounds.some(({ round, complete }) => round > 0 && complete);
    return shownMetrics(rounds, offered, chosen, settled);
  }, [app, isPrivate, rounds, offered, chosen, over]);
  return SLOTS.map((slot) => (
    <ChartPanel
      key={slot}
      slot={slot}
      metric={shown[slot]}
      failure={failure}
      select={
        offered.length > 0 && (
          <MetricSelect
            slot={slot}
            shown={shown[slot]}
            offered={offered}
            choose={(key) => choose(slot, key)}
          />
        )
      }
    />
  ));
}
