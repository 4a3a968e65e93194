import { useMemo } from "react";
import type { Round } from "../api/types";
import { usePins } from "../clients/usePins";
import { useStore } from "../store/store";
import { bandOf, FEWEST_FOR_BAND, mostClients, type Spread } from "./band";
import type { Metric } from "./metrics";
import { clientLine, type Line, linesOf, mainLine, type Source } from "./series";

interface ChartLines {
  /** The main line last. */
  lines: readonly Line[];
  /** In place of a line for each client, where there are many. */
  band: readonly Spread[];
  /** Clients whose lines are in the background, as others stand out. */
  muted: ReadonlySet<string>;
  /** Clients with a value, whether each has a line or not. */
  clients: number;
}

const NO_BAND: readonly Spread[] = [];

/**
 * What a chart of the rounds draws: a line for each client while there are few, else a band and those that stand out.
 * With `only`, that client's line alone beside the main one.
 */
export function useChartLines(
  rounds: readonly Round[],
  metric: Metric,
  source: Source,
  only?: string,
): ChartLines {
  const colours = useStore((state) => state.server.colours);
  const hovered = useStore((state) => state.hoveredClient);
  const { pinned } = usePins();
  const clients = useMemo(() => mostClients(rounds, metric, source), [rounds, metric, source]);
  const many = only === undefined && clients >= FEWEST_FOR_BAND;
  const standOut = useMemo(
    () => [...new Set([...pinned, ...(hovered === null ? [] : [hovered])])],
    [pinned, hovered],
  );
  const band = useMemo(
    () => (many ? bandOf(rounds, metric, source) : NO_BAND),
    [many, rounds, metric, source],
  );
  const all = useMemo(() => {
    if (many) return [mainLine(rounds, metric, source)];
    if (only !== undefined) {
      return [clientLine(rounds, metric, source, only), mainLine(rounds, metric, source)];
    }
    const order = Object.entries(colours).sort((a, b) => a[1] - b[1]);
    return linesOf(
      rounds,
      metric,
      source,
      order.map(([id]) => id),
    );
  }, [many, rounds, metric, source, colours, only]);
  const lines = useMemo(() => {
    if (!many) return inFront(all, standOut);
    const own = standOut.map((id) => clientLine(rounds, metric, source, id));
    return [...own.filter(({ points }) => points.length > 0), ...all];
  }, [many, all, standOut, rounds, metric, source]);
  const muted = useMemo(() => mutedIn(lines, standOut), [lines, standOut]);
  return { lines, band, muted, clients: many ? clients : lines.length - 1 };
}

/** Those that stand out are drawn over the others, and the main line over all. */
function inFront(lines: readonly Line[], standOut: readonly string[]): readonly Line[] {
  if (standOut.length === 0) return lines;
  const rank = (line: Line): number => (line.main ? 2 : standOut.includes(line.name) ? 1 : 0);
  return [...lines].sort((a, b) => rank(a) - rank(b));
}

/** All others, if one of those that stand out has a line here. */
function mutedIn(lines: readonly Line[], standOut: readonly string[]): ReadonlySet<string> {
  const clients = lines.filter(({ main }) => !main).map(({ name }) => name);
  const others = clients.filter((name) => !standOut.includes(name));
  return new Set(others.length < clients.length ? others : []);
}
