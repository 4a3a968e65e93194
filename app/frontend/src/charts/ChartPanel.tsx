import { Button, useComputedColorScheme } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useCallback, useMemo, useRef } from "react";
import { Panel } from "../components/Panel";
import { Value } from "../components/Value";
import { shownRounds, shownRun, useStore } from "../store/store";
import styles from "./ChartPanel.module.css";
import { chartOption, format, type Geometry } from "./option";
import { axisEnd, linesOf, type Metric } from "./series";
import { useChart } from "./useChart";

const UNITS: Record<Metric, string> = { accuracy: "on the server's test set", loss: "cross-entropy, nats" };

interface ChartPanelProps {
  metric: Metric;
  /** Why the curves could not be loaded. */
  failure: string | null;
}

export function ChartPanel({ metric, failure }: ChartPanelProps) {
  const run = useStore(shownRun);
  const rounds = useStore(shownRounds);
  const colours = useStore((state) => state.server.colours);
  const theme = useComputedColorScheme("light");
  const narrow = useMediaQuery("(width < 1024px)", false);
  const plot = useRef<HTMLDivElement>(null);

  const lines = useMemo(() => {
    const order = Object.entries(colours).sort((a, b) => a[1] - b[1]);
    return linesOf(rounds, metric, order.map(([id]) => id));
  }, [rounds, metric, colours]);
  const end = axisEnd(run?.num_rounds ?? 10, rounds.at(-1)?.round ?? 0);
  const build = useCallback(
    (geometry: Geometry) => chartOption({ metric, lines, colours, theme, end, narrow }, geometry),
    [metric, lines, colours, theme, end, narrow],
  );
  const zoom = useChart(plot, build, run?.id ?? "");

  const global = lines.at(-1)?.points ?? [];
  const newest = global.at(-1);
  const text = format(metric, newest?.[1]);
  const message = failure ?? emptyWords(run?.state ?? null, lines.some((line) => line.points.length > 0));
  return (
    <Panel
      title={metric}
      area={metric}
      titleWidth={64}
      beside={
        <>
          <span className={styles.newest}>
            <Value text={text} why="the global model has not been evaluated yet" />
          </span>
          <span className="dim small ellipsis">
            global{newest !== undefined && `, round ${newest[0]}`} · {UNITS[metric]}
          </span>
        </>
      }
      actions={
        zoom.zoomed && (
          <Button variant="subtle" size="compact-sm" onClick={zoom.reset} title="or double click in the chart">
            Show all rounds
          </Button>
        )
      }
    >
      <div
        ref={plot}
        className={styles.plot}
        role="img"
        aria-label={`${metric} per round${newest === undefined ? ": no value yet" : `: global ${text} at round ${newest[0]}, ${lines.length - 1} client lines`}`}
        data-testid={`chart-${metric}`}
        data-run={run?.id}
        data-points={global.length}
        data-latest={newest?.[1]}
        data-latest-round={newest?.[0]}
        data-clients={lines.length - 1}
      />
      {message !== null && <p className={styles.message}>{message}</p>}
    </Panel>
  );
}

function emptyWords(state: string | null, drawn: boolean): string | null {
  if (drawn) return null;
  switch (state) {
    case null:
      return "curves appear here once a run has started";
    case "completed":
    case "stopped":
    case "failed":
      return "the run ended before its first evaluation";
    default:
      return "the first point appears when the initial model has been evaluated";
  }
}
