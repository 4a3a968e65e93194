import { useComputedColorScheme } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { type ReactNode, useCallback, useMemo, useRef } from "react";
import type { ComparedRun } from "../../api/types";
import { ChartActions } from "../../charts/ChartActions";
import { csvOf } from "../../charts/csv";
import type { Geometry } from "../../charts/labels";
import { chartOption, rowsInput, titleAt } from "../../charts/option";
import { Plot } from "../../charts/Plot";
import { cursorWords, rowsAt } from "../../charts/rows";
import { stopsIn } from "../../charts/series";
import { useChart } from "../../charts/useChart";
import { useOwnCursor } from "../../charts/useCursor";
import { useView } from "../../charts/useView";
import { DEFAULT_VIEW } from "../../charts/view";
import view from "../../charts/ViewControls.module.css";
import { YControls } from "../../charts/YControls";
import { plural } from "../../format/format";
import { Choice } from "../../ui/Choice";
import { Panel } from "../../ui/Panel";
import { AXES, type Axis, curvesOf, kindOf, metricTitle, placesAt, placeTitle } from "./curves";

const HEEDED = ["y", "log"] as const;
const LINE_PX = 2;

interface CompareChartProps {
  title: string;
  runs: readonly ComparedRun[];
  metric: string;
  axis: Axis;
  chooseAxis: (axis: Axis) => void;
  /** Stands at the right end of the title. */
  actions: ReactNode;
}

/** One line for each run. */
export function CompareChart({ title, runs, metric, axis, chooseAxis, actions }: CompareChartProps) {
  const theme = useComputedColorScheme("light");
  const narrow = useMediaQuery("(width < 1024px)", false);
  const plot = useRef<HTMLDivElement>(null);
  const [shown, change] = useView(HEEDED);
  const { y, log } = shown;
  const kind = useMemo(() => kindOf(metric), [metric]);
  const lines = useMemo(() => curvesOf(runs, metric, axis), [runs, metric, axis]);
  const stops = useMemo(() => stopsIn(lines), [lines]);
  const places = useMemo(() => placesAt(axis, stops), [axis, stops]);
  const input = useMemo(
    () => ({
      ...{ metric: kind, lines, theme, narrow, places, end: places.max },
      ...{ view: { ...DEFAULT_VIEW, y, log }, width: LINE_PX, asOf: axis === "time" },
      colours: Object.fromEntries(lines.map(({ name }, index) => [name, index])),
      titleOf: (x: number) => placeTitle(axis, x),
    }),
    [kind, lines, theme, narrow, places, y, log, axis],
  );
  const build = useCallback((geometry: Geometry) => chartOption(input, geometry), [input]);
  const subject = `${axis} ${metric} ${runs.map(({ run }) => run.id).join()}`;
  const cursor = useOwnCursor(places, subject);
  const chart = useChart(plot, build, subject, cursor.pointer);
  const told = cursor.at ?? stops.at(-1) ?? 0;
  const drawn = lines.filter(({ points }) => points.length > 0).length;
  const what = metricTitle(metric);
  return (
    <Panel
      title={title}
      area="curves"
      actions={
        <>
          {actions}
          <ChartActions
            title={what}
            name={`comparison-${metric}`}
            slot="comparison"
            chart={chart}
            build={build}
            numbers={(isSeen) => csvOf(lines, [], null, isSeen, axis === "round" ? "round" : "elapsed_s")}
            places={places}
          />
        </>
      }
    >
      <div className={view.row} role="toolbar" aria-label="how the curves are drawn">
        <span className="dim small">x</span>
        <Choice label="x axis" options={AXES} chosen={axis} change={chooseAxis} testId="compare-axis" />
        <span className="dim small">y</span>
        <YControls view={shown} change={change} metric={kind} />
      </div>
      <Plot
        plot={plot}
        label={`${what} of ${plural(drawn, "run")} by ${axis}`}
        stops={stops}
        chart={chart}
        cursor={cursor}
        told={told}
        words={cursorWords(titleAt(told, input), rowsAt(told, rowsInput(input)))}
        data={{ "data-testid": "compare-chart", "data-lines": drawn, "data-metric": metric }}
      />
    </Panel>
  );
}
