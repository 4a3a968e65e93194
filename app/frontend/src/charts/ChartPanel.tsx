import { useComputedColorScheme } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { type ReactNode, useCallback, useMemo, useRef } from "react";
import type { Round } from "../api/types";
import { keptWords } from "../runs/privacy-words";
import { appLabels, roundTitle } from "../runs/round-words";
import { useChosenRound } from "../runs/useChosenRound";
import { shownRun, useStore } from "../store/store";
import { Panel } from "../ui/Panel";
import { Value } from "../ui/Value";
import { ChartActions, timesOf } from "./ChartActions";
import styles from "./ChartPanel.module.css";
import type { Slot } from "./choice";
import { csvOf } from "./csv";
import type { Geometry } from "./labels";
import { keyOf, type Metric, titleOf } from "./metrics";
import { chartOption, rowsInput, titleAt } from "./option";
import { stopsOf } from "./place";
import { Plot } from "./Plot";
import { cursorWords, rowsAt } from "./rows";
import { lateClients, sourceOf } from "./series";
import { useChart } from "./useChart";
import { useChartLines } from "./useChartLines";
import { useCursor } from "./useCursor";
import { usePlaces } from "./usePlaces";
import { format } from "./values";
import type { View } from "./view";
import { emptyWords, newestWords } from "./words";

interface ChartPanelProps {
  slot: Slot;
  metric: Metric;
  rounds: readonly Round[];
  view: View;
  /** In place of the title, where the reader can choose the metric. */
  select: ReactNode;
  /** Why the curves could not be loaded. */
  failure: string | null;
  /** Given where the chart is about one client. */
  only?: string | undefined;
}

/** One metric over the rounds of the shown run: its curves, the newest value, and what is under the cursor. */
export function ChartPanel({ slot, metric, rounds, view, select, failure, only }: ChartPanelProps) {
  const run = useStore(shownRun);
  const colours = useStore((state) => state.server.colours);
  const theme = useComputedColorScheme("light");
  const narrow = useMediaQuery("(width < 1024px)", false);
  const plot = useRef<HTMLDivElement>(null);

  const foreign = run?.spec.app != null;
  const source = sourceOf(rounds, metric, foreign);
  const { lines, band, muted, clients } = useChartLines(rounds, metric, source, only);
  const late = useMemo(() => lateClients(rounds), [rounds]);
  const labels = useMemo(() => appLabels(rounds), [rounds]);
  const places = usePlaces(view.x, rounds);
  const [chosen] = useChosenRound();
  const input = useMemo(
    () => ({
      ...{ metric, lines, late, labels, colours, theme, narrow },
      ...{ band, places, view, muted, chosen, end: places.max },
    }),
    [metric, lines, late, labels, colours, theme, narrow, band, places, view, muted, chosen],
  );
  const build = useCallback((geometry: Geometry) => chartOption(input, geometry), [input]);
  const cursor = useCursor(places, run?.id ?? null);
  const chart = useChart(plot, build, `${run?.id ?? ""} ${view.x}`, cursor.pointer);

  const main = lines.at(-1)?.points ?? [];
  const newest = main.at(-1);
  const text = format(metric, newest?.[1]);
  const at = newest === undefined ? null : roundTitle(newest[0], labels);
  const title = titleOf(metric);
  const { of, missing, unit } = newestWords(metric, source, foreign);
  const whose = `${at === null ? of : `${of}, ${at}`} · ${unit}`;
  const drawn = band.length > 0 || lines.some((line) => line.points.length > 0);
  const message = failure ?? emptyWords(run, metric, source, rounds, drawn);
  const ofClients = band.length > 0 || lines.some((line) => !line.main && line.points.length > 0);
  const kept = source === "global" && !ofClients ? keptWords(run?.spec, []) : null;
  const told = cursor.at ?? chosen ?? newest?.[0] ?? 0;
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
        <ChartActions
          title={title}
          name={`run-${run?.id ?? "none"}-${keyOf(metric)}`}
          slot={slot}
          chart={chart}
          build={build}
          numbers={(isSeen) => csvOf(lines, band, timesOf(places), isSeen)}
          places={places}
        />
      }
    >
      <Plot
        plot={plot}
        label={`${title} per round${at === null ? ": no value yet" : `: ${of} ${text} at ${at}, ${clients} clients`}`}
        stops={stopsOf(rounds, places)}
        chart={chart}
        cursor={cursor}
        told={told}
        words={cursorWords(titleAt(told, input), rowsAt(told, rowsInput(input)))}
        data={{
          "data-testid": `chart-${slot}`,
          "data-run": run?.id,
          "data-metric": keyOf(metric),
          "data-points": main.length,
          "data-source": source,
          "data-latest": newest?.[1],
          "data-latest-round": newest?.[0],
          "data-clients": clients,
          "data-lines": lines.length - 1,
          "data-band": band.length,
        }}
      />
      {kept !== null && message === null && (
        <p className={`${styles.kept} dim small`} data-testid="curves-kept">
          {kept}
        </p>
      )}
      {message !== null && <p className={styles.message}>{message}</p>}
    </Panel>
  );
}
