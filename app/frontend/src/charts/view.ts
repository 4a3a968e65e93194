/** How the curves are drawn, as the reader chose it: it stands in the address, and is remembered. Pure functions. */

export const X_AXES = ["round", "elapsed", "clock"] as const;
export const Y_AXES = ["fit", "zero"] as const;
export const PANELS = ["times", "bytes"] as const;

export type XKind = (typeof X_AXES)[number];
export type YKind = (typeof Y_AXES)[number];
export type PanelKind = (typeof PANELS)[number];

export interface View {
  /** What is to the right: the round, the time since the run's start, or the time of the day. */
  x: XKind;
  /** Upwards: what there is, but for what is far off all else, or from zero. */
  y: YKind;
  /** Losses and other numbers above zero on a logarithmic axis. */
  log: boolean;
  /** Weight of what was before in the exponential moving average, below 1; 0: none. */
  smooth: number;
  /** What the third panel shows of each round. */
  panel: PanelKind;
  /** Where there is no third panel, the lower chart gives way to it. */
  below: boolean;
}

export const DEFAULT_VIEW: View = {
  x: "round",
  y: "fit",
  log: false,
  smooth: 0,
  panel: "times",
  below: false,
};

/** Above this, what is drawn is hardly of the run any more. */
export const MOST_SMOOTH = 0.95;

type Written = Readonly<Record<string, string>>;

/** What of an address, or of what was stored, is a view; the rest is as the `base` has it. */
export function readView(written: Written, base: View = DEFAULT_VIEW): View {
  const smooth = Number(written.smooth ?? Number.NaN);
  return {
    x: X_AXES.find((each) => each === written.x) ?? base.x,
    y: Y_AXES.find((each) => each === written.y) ?? base.y,
    log: written.log === undefined ? base.log : written.log === "1",
    smooth: smooth >= 0 && smooth <= MOST_SMOOTH ? smooth : base.smooth,
    panel: PANELS.find((each) => each === written.panel) ?? base.panel,
    below: written.below === undefined ? base.below : written.below === "1",
  };
}

/** All of a view, as it is stored. */
export function writeView({ x, y, log, smooth, panel, below }: View): Written {
  return { x, y, log: log ? "1" : "0", smooth: String(smooth), panel, below: below ? "1" : "0" };
}

/** Of a view, what a chart heeds. */
export type ViewPart = keyof View;
export const ALL_PARTS: readonly ViewPart[] = ["x", "y", "log", "smooth", "panel", "below"];

/** The address with these parts of a view; what is by default is left out. */
export function withView(
  params: URLSearchParams,
  view: View,
  parts: readonly ViewPart[] = ALL_PARTS,
): URLSearchParams {
  const next = new URLSearchParams(params);
  const usual = writeView(DEFAULT_VIEW);
  const written = writeView(view);
  for (const name of parts) {
    const value = written[name] ?? "";
    if (value === usual[name]) next.delete(name);
    else next.set(name, value);
  }
  return next;
}
