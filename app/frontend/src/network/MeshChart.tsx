import { useComputedColorScheme } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useCallback, useMemo, useRef } from "react";
import { ChartActions } from "../charts/ChartActions";
import styles from "../charts/ChartPanel.module.css";
import { csvOf } from "../charts/csv";
import type { Geometry } from "../charts/labels";
import { keyOf, type Metric, titleOf } from "../charts/metrics";
import { chartOption, rowsInput, titleAt } from "../charts/option";
import { byRound } from "../charts/place";
import { Plot } from "../charts/Plot";
import { cursorWords, rowsAt } from "../charts/rows";
import { type Line, stopsIn } from "../charts/series";
import { useChart } from "../charts/useChart";
import { useCursor } from "../charts/useCursor";
import { useView } from "../charts/useView";
import { format } from "../charts/values";
import { DEFAULT_VIEW } from "../charts/view";
import { YControls } from "../charts/YControls";
import type { ColourIndex } from "../clients/colours";
import { useChosenRound } from "../runs/useChosenRound";
import { Panel } from "../ui/Panel";
import { Value } from "../ui/Value";

const HEEDED = ["y", "log"] as const;

interface MeshChartProps {
  metric: Metric;
  /** In place of the metric's. */
  title?: string;
  area: string;
  lines: readonly Line[];
  colours: ColourIndex;
  /** The run of which they are. */
  run: string | null;
  /** Last round on the axis. */
  end: number;
  /** The newest value that stands beside the title. */
  newest: number | undefined;
  /** What that is. */
  whose: string;
  /** Why there is none. */
  missing: string;
}

/** Curves over mesh rounds. */
export function MeshChart(props: MeshChartProps) {
  const { metric, area, lines, colours, run, end, newest, whose, missing } = props;
  const theme = useComputedColorScheme("light");
  const narrow = useMediaQuery("(width < 1024px)", false);
  const plot = useRef<HTMLDivElement>(null);
  const [shown, change] = useView(HEEDED);
  const { y, log } = shown;
  const [chosen] = useChosenRound();
  const stops = useMemo(() => stopsIn(lines), [lines]);
  const places = useMemo(() => byRound(end), [end]);
  const input = useMemo(
    () => ({
      ...{ metric, lines, colours, theme, end, narrow, chosen },
      ...{ places, view: { ...DEFAULT_VIEW, y, log } },
    }),
    [metric, lines, colours, theme, end, narrow, chosen, places, y, log],
  );
  const build = useCallback((geometry: Geometry) => chartOption(input, geometry), [input]);
  const cursor = useCursor(places, run);
  const chart = useChart(plot, build, run ?? "", cursor.pointer);
  const title = props.title ?? titleOf(metric);
  const text = format(metric, newest);
  const told = cursor.at ?? chosen ?? stops.at(-1) ?? 0;
  const points = lines.filter(({ main }) => !main).reduce((sum, line) => sum + line.points.length, 0);
  const key = keyOf(metric).replace("/", "-");
  return (
    <Panel
      title={title}
      area={area}
      titleWidth={80}
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
        <>
          <YControls view={shown} change={change} metric={metric} />
          <ChartActions
            title={title}
            name={`run-${run ?? "none"}-mesh-${title}`}
            slot={`mesh-${key}`}
            chart={chart}
            build={build}
            numbers={(isSeen) => csvOf(lines, [], null, isSeen)}
            places={places}
          />
        </>
      }
    >
      <Plot
        plot={plot}
        label={`${title} per mesh round: ${points === 0 ? missing : `${whose} ${text}`}`}
        stops={stops}
        chart={chart}
        cursor={cursor}
        told={told}
        words={cursorWords(titleAt(told, {}), rowsAt(told, rowsInput(input)))}
        data={{
          "data-testid": `mesh-chart-${key}`,
          "data-points": points,
          "data-run": run,
        }}
      />
      {lines.every((line) => line.points.length === 0) && <p className={styles.message}>{missing}</p>}
    </Panel>
  );
}
