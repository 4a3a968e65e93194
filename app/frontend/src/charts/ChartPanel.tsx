import { Button, useComputedColorScheme } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { type ReactNode, useCallback, useMemo, useRef } from "react";
import { appLabels, roundTitle } from "../runs/round-words";
import { roundChosen, roundHovered, shownRounds, shownRun, useStore } from "../store/store";
import { Panel } from "../ui/Panel";
import { Value } from "../ui/Value";
import styles from "./ChartPanel.module.css";
import type { Slot } from "./choice";
import type { Geometry } from "./labels";
import { keyOf, type Metric, titleOf } from "./metrics";
import { chartOption } from "./option";
import { axisEnd, lateClients, linesOf, sourceOf } from "./series";
import { useChart } from "./useChart";
import { format } from "./values";
import { emptyWords, newestWords } from "./words";

interface ChartPanelProps {
  slot: Slot;
  metric: Metric;
  /** In place of the title, where the reader can choose the metric. */
  select: ReactNode;
  /** Why the curves could not be loaded. */
  failure: string | null;
}

export function ChartPanel({ slot, metric, select, failure }: ChartPanelProps) {
  const run = useStore(shownRun);
  const rounds = useStore(shownRounds);
  const colours = useStore((state) => state.server.colours);
  const theme = useComputedColorScheme("light");
  const narrow = useMediaQuery("(width < 1024px)", false);
  const plot = useRef<HTMLDivElement>(null);

  const foreign = run?.spec.app != null;
  const source = sourceOf(rounds, metric, foreign);
  const lines = useMemo(() => {
    const order = Object.entries(colours).sort((a, b) => a[1] - b[1]);
    return linesOf(
      rounds,
      metric,
      source,
      order.map(([id]) => id),
    );
  }, [rounds, metric, source, colours]);
  const late = useMemo(() => lateClients(rounds), [rounds]);
  const labels = useMemo(() => appLabels(rounds), [rounds]);
  const end = axisEnd(run === null ? 10 : run.num_rounds, rounds.at(-1)?.round ?? 0);
  const build = useCallback(
    (geometry: Geometry) =>
      chartOption({ metric, lines, late, labels, colours, theme, end, narrow }, geometry),
    [metric, lines, late, labels, colours, theme, end, narrow],
  );
  const zoom = useChart(plot, build, run?.id ?? "", {
    hover: (round) => roundHovered(run === null || round === null ? null : { run: run.id, round }),
    pick: (round) => roundChosen(run === null ? null : { run: run.id, round }),
  });

  const main = lines.at(-1)?.points ?? [];
  const newest = main.at(-1);
  const text = format(metric, newest?.[1]);
  const at = newest === undefined ? null : roundTitle(newest[0], labels);
  const title = titleOf(metric);
  const { of, missing, unit } = newestWords(metric, source, foreign);
  const whose = `${at === null ? of : `${of}, ${at}`} · ${unit}`;
  const drawn = lines.some((line) => line.points.length > 0);
  const message = failure ?? emptyWords(run, metric, source, rounds, drawn);
  return (
    <Panel
      title={title}
      area={slot}
      titleWidth={64}
      select={select}
      beside={
        <>
          <span className={styles.newest}>
            <Value text={text} why={missing} />
          </span>
          <span className="dim small ellipsis" title={whose}>
            {whose}
          </span>
        </>
      }
      actions={
        zoom.zoomed && (
          <Button
            variant="subtle"
            size="compact-sm"
            onClick={zoom.reset}
            title="or double click in the chart"
          >
            Show all rounds
          </Button>
        )
      }
    >
      <div
        ref={plot}
        className={styles.plot}
        role="img"
        aria-label={`${title} per round${at === null ? ": no value yet" : `: ${of} ${text} at ${at}, ${lines.length - 1} client lines`}`}
        data-testid={`chart-${slot}`}
        data-run={run?.id}
        data-metric={keyOf(metric)}
        data-points={main.length}
        data-source={source}
        data-latest={newest?.[1]}
        data-latest-round={newest?.[0]}
        data-clients={lines.length - 1}
      />
      {message !== null && <p className={styles.message}>{message}</p>}
    </Panel>
  );
}
