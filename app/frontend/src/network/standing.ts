import type { CSSProperties } from "react";
import type { Place } from "./layout";

/** Where something stands in the plot. */
export function standing({ x, y }: Place): { left: string; top: string } {
  return { left: `${x}%`, top: `${y}%` };
}

/** Its link ends as far into it as into the plot: however long its name is, it stays within. */
export function nodeAt(place: Place): CSSProperties {
  return { ...standing(place), transform: `translate(-${place.x}%, -50%)` };
}
