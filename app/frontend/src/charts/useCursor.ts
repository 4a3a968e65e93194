import { type KeyboardEvent, useCallback, useState } from "react";
import { useChosenRound } from "../runs/useChosenRound";
import { roundHovered, useStore } from "../store/store";
import { movedBy } from "./cursor";
import type { Places } from "./place";
import type { RoundPointer, Zoom } from "./useChart";

export interface Cursor {
  /** The round under the pointer or the keys' cursor; null: none. */
  at: number | null;
  /** Whether enter keeps its round. */
  keeps: boolean;
  pointer: RoundPointer;
  /** For the focused chart: keys move the cursor along the `stops`, enter keeps its round, escape lets it go. */
  onKeyDown: (event: KeyboardEvent, zoom: Pick<Zoom, "point">, stops: readonly number[]) => void;
}

/** The cursor that all charts of a run share, by mouse and by keys. */
export function useCursor(places: Places, run: string | null): Cursor {
  const at = useStore(({ hoveredRound }) =>
    hoveredRound !== null && hoveredRound.run === run ? hoveredRound.round : null,
  );
  const [chosen, choose] = useChosenRound();
  const hover = useCallback(
    (round: number | null) => roundHovered(run === null || round === null ? null : { run, round }),
    [run],
  );
  return cursorOf(at, hover, places, { chosen, choose });
}

/** The cursor of one chart alone, which keeps nothing; another `subject` has none yet. */
export function useOwnCursor(places: Places, subject: string): Cursor {
  const [last, move] = useState<{ subject: string; at: number | null }>({ subject, at: null });
  const hover = useCallback((at: number | null) => move({ subject, at }), [subject]);
  return cursorOf(last.subject === subject ? last.at : null, hover, places, null);
}

interface Kept {
  chosen: number | null;
  choose: (round: number | null) => void;
}

function cursorOf(
  at: number | null,
  hover: (round: number | null) => void,
  places: Places,
  kept: Kept | null,
): Cursor {
  const onKeyDown: Cursor["onKeyDown"] = (event, zoom, stops) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" && at !== null && kept !== null) {
      kept.choose(at === kept.chosen ? null : at);
      event.preventDefault();
      return;
    }
    const to = movedBy(event.key, at ?? kept?.chosen ?? null, stops);
    if (to === undefined) return;
    event.preventDefault();
    if (to === null && at === null) kept?.choose(null);
    zoom.point(to === null ? null : places.xOf(to));
    hover(to);
  };
  const pick = (round: number): void => kept?.choose(round);
  return { at, keeps: kept !== null, pointer: { hover, pick, roundAt: places.roundOf }, onKeyDown };
}
