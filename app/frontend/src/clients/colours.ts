/**
 * One line style per client, the same in curves, table and log.
 *
 * Hues start from Okabe and Ito (2008) and are moved, per theme, until any two also differ when seen with
 * protanopia, deuteranopia or tritanopia (simulated after Machado et al. 2009) and each has a contrast of about
 * 4.5:1 or more on its panel. After the last hue they repeat with another dash.
 */

/** Client id → position in the palette; grows only, so that a client keeps its colour. */
export type ColourIndex = Readonly<Record<string, number>>;

export type Theme = "dark" | "light";

const HUES: Record<Theme, readonly [string, ...string[]]> = {
  dark: ["#4ac4ff", "#f88a00", "#26a07e", "#d079b8", "#f2ee55", "#eb4433", "#9080ff"],
  light: ["#1b7fb8", "#95700a", "#00684f", "#ad2e7f", "#555c27", "#8b1900", "#2529c5"],
};

const DASHES = ["solid", "dashed", "dotted"] as const;

export interface LineStyle {
  colour: string;
  dash: (typeof DASHES)[number];
}

export function lineStyle(index: number, theme: Theme): LineStyle {
  const hues = HUES[theme];
  return {
    colour: hues[index % hues.length] ?? hues[0],
    dash: DASHES[Math.floor(index / hues.length) % DASHES.length] ?? DASHES[0],
  };
}

/** Gives each new id a free position: its own number if it ends in one (client-3 → third), else the first free. */
export function assignColours(known: ColourIndex, ids: readonly string[]): ColourIndex {
  const fresh = [...new Set(ids)].filter((id) => known[id] === undefined);
  if (fresh.length === 0) return known;
  const taken = new Set(Object.values(known));
  const next: Record<string, number> = { ...known };
  for (const id of fresh) {
    let index = ownNumber(id) ?? 0;
    while (taken.has(index)) index += 1;
    taken.add(index);
    next[id] = index;
  }
  return next;
}

function ownNumber(id: string): number | null {
  const digits = /(\d{1,6})$/.exec(id)?.[1];
  return digits === undefined ? null : Math.max(0, Number(digits) - 1);
}
