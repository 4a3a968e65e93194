import { useMemo } from "react";
import { isOver, type Round } from "../api/types";
import { useChosenRound } from "../runs/useChosenRound";
import { shownCompleteRounds, shownRun, useStore } from "../store/store";
import { ChartPanel } from "./ChartPanel";
import {
  offeredMetrics,
  offeredOfBuiltIn,
  type Shown,
  shownMetrics,
  shownOfBuiltIn,
  SLOTS,
  type Slot,
} from "./choice";
import { MetricSelect } from "./MetricSelect";
import type { Metric } from "./metrics";
import { PartsPanel } from "./PartsPanel";
import { useChosenMetrics } from "./useChosenMetrics";
import { useView } from "./useView";
import { ViewControls } from "./ViewControls";

/** By these names the reader's choices for the built-in app's runs, and for private ones, are kept; no app has them. */
const BUILT_IN = "(built-in)";
const PRIVATE = "(private)";

interface ChartsProps {
  /** Why the curves could not be loaded. */
  failure: string | null;
  /** There is room for a third panel; else the lower chart can give way to it. */
  third?: boolean;
  /** Given where the curves are those of one client. */
  only?: string;
}

/** Curves of the shown run: accuracy and loss, or what else it has that the reader can choose, and its rounds' times. */
export function Charts({ failure, third = true, only }: ChartsProps) {
  const rounds = useStore(shownCompleteRounds);
  const [view, change] = useView();
  const [chosenRound] = useChosenRound();
  const { shown, offered, choose } = useMetrics(rounds);
  const below = !third && view.below;
  const selectOf = (slot: Slot) =>
    (offered.length > 0 || (slot === "loss" && !third)) && (
      <MetricSelect
        slot={slot}
        shown={shown[slot]}
        offered={offered}
        choose={(key) => {
          choose(slot, key);
          if (slot === "loss") change({ below: false });
        }}
        panels={
          slot === "loss" && !third
            ? { shown: below ? view.panel : null, choose: (panel) => change({ panel, below: true }) }
            : null
        }
      />
    );
  return (
    <>
      <ViewControls />
      {SLOTS.map((slot) =>
        slot === "loss" && below ? (
          <PartsPanel
            key="parts"
            area={slot}
            rounds={rounds}
            view={view}
            change={change}
            select={selectOf(slot)}
            chosen={chosenRound}
          />
        ) : (
          <ChartPanel
            key={slot}
            slot={slot}
            metric={shown[slot]}
            rounds={rounds}
            view={view}
            failure={failure}
            only={only}
            select={selectOf(slot)}
          />
        ),
      )}
      {third && <PartsPanel area="parts" rounds={rounds} view={view} change={change} chosen={chosenRound} />}
      <span className="hidden-visually" aria-live="polite" data-testid="kept-round">
        {chosenRound === null ? "" : `round ${chosenRound} is kept`}
      </span>
    </>
  );
}

const NONE: readonly Metric[] = [];

interface Metrics {
  shown: Shown;
  offered: readonly Metric[];
  choose: (slot: Slot, key: string) => void;
}

/** What the two charts show, and what else they could. */
function useMetrics(rounds: readonly Round[]): Metrics {
  const run = useStore(shownRun);
  const app = run?.spec.app ?? null;
  const isPrivate = run?.spec.dp != null;
  const started = run !== null;
  const over = run !== null && isOver(run.state);
  const [chosen, choose] = useChosenMetrics(app ?? (isPrivate ? PRIVATE : BUILT_IN));
  const offered = useMemo(() => {
    if (!started) return NONE;
    return app === null ? offeredOfBuiltIn(isPrivate) : offeredMetrics(rounds);
  }, [started, app, isPrivate, rounds]);
  const shown = useMemo(() => {
    if (app === null) return shownOfBuiltIn(isPrivate, chosen);
    const settled = over || rounds.some(({ round, complete }) => round > 0 && complete);
    return shownMetrics(rounds, offered, chosen, settled);
  }, [app, isPrivate, rounds, offered, chosen, over]);
  return { shown, offered, choose };
}
