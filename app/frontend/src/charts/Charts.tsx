import { useMemo } from "react";
import { isOver } from "../api/types";
import { shownRounds, shownRun, useStore } from "../store/store";
import { ChartPanel } from "./ChartPanel";
import { FIRST, offeredMetrics, SLOTS, shownMetrics } from "./choice";
import { MetricSelect } from "./MetricSelect";
import { useChosenMetrics } from "./useChosenMetrics";

/** Two curves of the shown run: accuracy and loss, or of another Flower app whatever numbers it has. */
export function Charts({ failure }: { failure: string | null }) {
  const run = useStore(shownRun);
  const rounds = useStore(shownRounds);
  const app = run?.spec.app ?? null;
  const over = run !== null && isOver(run.state);
  const [chosen, choose] = useChosenMetrics(app);
  const offered = useMemo(() => (app === null ? [] : offeredMetrics(rounds)), [app, rounds]);
  const shown = useMemo(() => {
    if (app === null) return FIRST;
    const settled = over || rounds.some(({ round, complete }) => round > 0 && complete);
    return shownMetrics(rounds, offered, chosen, settled);
  }, [app, rounds, offered, chosen, over]);
  return SLOTS.map((slot) => (
    <ChartPanel
      key={slot}
      slot={slot}
      metric={shown[slot]}
      failure={failure}
      select={
        app !== null && (
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
