import { Button, useComputedColorScheme } from "@mantine/core";
import { TOKENS } from "../styles/theme";
import type { Column } from "./csv";
import type { ChartOption } from "./echarts";
import { ExportMenu, type FileKind } from "./ExportMenu";
import { pngOf, saveFile, svgOf } from "./export";
import type { Geometry } from "./labels";
import type { Places } from "./place";
import type { Zoom } from "./useChart";

interface ChartActionsProps {
  title: string;
  /** Of the file, without its kind. */
  name: string;
  slot: string;
  chart: Zoom;
  build: (geometry: Geometry) => ChartOption;
  /** The numbers of the rounds that are seen, as CSV. */
  numbers: (isSeen: (round: number) => boolean) => string;
  places: Places;
}

/** What can be done with a chart: to see all of it again, and to keep what is shown as a file. */
export function ChartActions({ title, name, slot, chart, build, numbers, places }: ChartActionsProps) {
  const background = TOKENS[useComputedColorScheme("light")].panel;
  const save = async (kind: FileKind): Promise<void> => {
    const instance = chart.instance();
    if (instance === null) return;
    const file = `${name.replaceAll(/[^A-Za-z0-9._-]+/g, "-")}.${kind}`;
    if (kind === "png") saveFile(file, pngOf(instance, background));
    else if (kind === "svg") saveFile(file, await svgOf(instance, build, chart.range, background));
    else saveFile(file, new Blob([numbers(seenIn(places, chart.range))], { type: "text/csv" }));
  };
  return (
    <>
      {chart.zoomed && (
        <Button variant="subtle" size="compact-sm" onClick={chart.reset} title="or double click in the chart">
          Show all rounds
        </Button>
      )}
      <ExportMenu title={title} testId={slot} save={(kind) => void save(kind)} />
    </>
  );
}

function seenIn(places: Places, range: Zoom["range"]): (round: number) => boolean {
  const [from, to] = range ?? [places.min, places.max];
  return (round) => {
    const x = places.xOf(round);
    return x !== null && x >= from && x <= to;
  };
}

/** Beside the rounds their times, where these are the axis. */
export function timesOf({ kind, xOf }: Places): Column | null {
  if (kind === "round") return null;
  if (kind === "elapsed") return { name: "elapsed_s", of: xOf };
  return { name: "time", of: (round) => isoOf(xOf(round)) };
}

function isoOf(time: number | null): string | null {
  return time === null ? null : new Date(time * 1000).toISOString();
}
