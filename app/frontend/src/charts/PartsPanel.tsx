import { useComputedColorScheme } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { type ReactNode, useCallback, useMemo, useRef } from "react";
import type { Round } from "../api/types";
import { appLabels, roundTitle } from "../runs/round-words";
import { shownRun, useStore } from "../store/store";
import { TOKENS, type Tokens } from "../styles/theme";
import { Choice } from "../ui/Choice";
import { Explained } from "../ui/Explained";
import { Panel } from "../ui/Panel";
import { ChartActions, timesOf } from "./ChartActions";
import chartStyles from "./ChartPanel.module.css";
import { table } from "./csv";
import type { Geometry } from "./labels";
import { amount, barsOf, PARTS, totalOf } from "./parts";
import { partRows, partsOption } from "./parts-option";
import styles from "./PartsPanel.module.css";
import { stopsOf } from "./place";
import { Plot } from "./Plot";
import { cursorWords } from "./rows";
import { useChart } from "./useChart";
import { useCursor } from "./useCursor";
import { usePlaces } from "./usePlaces";
import { PANELS, type PanelKind, type View } from "./view";

const EMPTY: Record<PanelKind, string> = {
  times: "the first bar appears when a round has ended",
  bytes: "the first bar appears when a round has ended; runs of older servers have not counted them",
};

interface PartsPanelProps {
  area: string;
  rounds: readonly Round[];
  view: View;
  change: (part: Partial<View>) => void;
  /** In place of the title, where the panel stands for a chart. */
  select?: ReactNode;
  /** The round that the reader keeps. */
  chosen: number | null;
}

/** What each round was spent on, or what it moved: one bar per round, cut into its parts. */
export function PartsPanel({ area, rounds, view, change, select, chosen }: PartsPanelProps) {
  const run = useStore(shownRun);
  const theme = useComputedColorScheme("light");
  const narrow = useMediaQuery("(width < 1024px)", false);
  const plot = useRef<HTMLDivElement>(null);
  const kind = view.panel;
  const bars = useMemo(() => barsOf(kind, rounds), [kind, rounds]);
  const labels = useMemo(() => appLabels(rounds), [rounds]);
  const places = usePlaces(view.x, rounds);
  const build = useCallback(
    (geometry: Geometry) => partsOption({ kind, bars, places, labels, theme, narrow }, geometry),
    [kind, bars, places, labels, theme, narrow],
  );
  const cursor = useCursor(places, run?.id ?? null);
  const chart = useChart(plot, build, `${run?.id ?? ""} ${view.x}`, cursor.pointer);
  const newest = bars.at(-1);
  const title = `${kind} per round`;
  const said = newest === undefined ? "no value yet" : amount(kind, totalOf(newest));
  const told = cursor.at ?? chosen ?? newest?.round ?? 0;
  const parts = PARTS[kind];
  return (
    <Panel
      title={title}
      area={area}
      select={select}
      beside={<Legend kind={kind} colours={TOKENS[theme]} />}
      actions={
        <>
          {select === undefined && (
            <Choice
              label="what of each round"
              options={PANELS}
              chosen={kind}
              change={(panel) => change({ panel })}
              testId="panel"
            />
          )}
          <ChartActions
            title={title}
            name={`run-${run?.id ?? "none"}-${kind}`}
            slot="parts"
            chart={chart}
            build={build}
            numbers={(isSeen) => {
              const time = timesOf(places);
              const head = ["round", ...(time === null ? [] : [time.name]), ...parts.map(({ name }) => name)];
              const rows = bars
                .filter(({ round }) => isSeen(round))
                .map(({ round, values }) => [round, ...(time === null ? [] : [time.of(round)]), ...values]);
              return table([head, ...rows]);
            }}
            places={places}
          />
        </>
      }
    >
      <Plot
        plot={plot}
        label={`${title}: ${newest === undefined ? said : `${said} in ${roundTitle(newest.round, labels)}`}`}
        stops={stopsOf(rounds, places)}
        chart={chart}
        cursor={cursor}
        told={told}
        words={cursorWords(roundTitle(told, labels), partRows(told, { kind, bars, theme }))}
        data={{
          "data-testid": "chart-parts",
          "data-kind": kind,
          "data-points": bars.length,
          "data-run": run?.id,
        }}
      />
      {newest === undefined && <p className={chartStyles.message}>{EMPTY[kind]}</p>}
    </Panel>
  );
}

function Legend({ kind, colours }: { kind: PanelKind; colours: Tokens }) {
  return (
    <ul className={styles.legend}>
      {PARTS[kind].map(({ name, about, colour }) => (
        <li key={name}>
          <span className={styles.swatch} style={{ background: colours[colour] }} />
          <Explained why={about}>{name}</Explained>
        </li>
      ))}
    </ul>
  );
}
