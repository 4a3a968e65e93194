import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { type ChartOption, connect, type EChartsType, init } from "./echarts";
import { geometryOf, type Range } from "./geometry";
import type { Geometry } from "./labels";
import { inTurn } from "./turns";

const GROUP = "rounds";

export interface Zoom {
  zoomed: boolean;
  /** The ends of what is in view; null: all of it. */
  range: Range | null;
  reset: () => void;
  /** Has the cursor at a place of the axis, here and in the charts beside it; null: nowhere. */
  point: (x: number | null) => void;
  /** The drawn chart, once it is there. */
  instance: () => EChartsType | null;
}

/** What the reader does with a round of the curves. */
export interface RoundPointer {
  /** The pointer is over this round; null: it left. */
  hover: (round: number | null) => void;
  pick: (round: number) => void;
  /** The round at a place of the axis; without this, it is the place. */
  roundAt?: (x: number) => number | null;
}

/**
 * An ECharts instance in the given element: resized with it, hover and zoom shared with the other charts. Drawn in a
 * task of its own; until then the element is `aria-busy`.
 * Dragging zooms where there is a mouse (on a touch screen dragging scrolls the page); a double click resets, and
 * so does another `subject`.
 */
export function useChart(
  element: RefObject<HTMLDivElement | null>,
  build: (geometry: Geometry) => ChartOption,
  subject: string,
  pointer: RoundPointer,
): Zoom {
  const chart = useRef<EChartsType | null>(null);
  const [zoomedTo, setZoomedTo] = useState<Range | null>(null);
  const isZoomed = useRef(false);
  /** It has axes, so that a place on them is a place on the screen. */
  const isDrawn = useRef(false);
  /** Dragging zooms. */
  const isArmed = useRef(false);
  const told = useRef(pointer);
  useEffect(() => {
    told.current = pointer;
  });
  const reset = useCallback(() => {
    chart.current?.dispatchAction({ type: "dataZoom", start: 0, end: 100 });
  }, []);
  const point = useCallback((x: number | null) => {
    if (isDrawn.current) pointAt(chart.current, x);
  }, []);
  const instance = useCallback(() => chart.current, []);

  useEffect(() => {
    if (element.current === null) return;
    const made = init(element.current);
    chart.current = made;
    made.group = GROUP;
    connect(GROUP);
    made.getZr().on("dblclick", reset);
    made.on("datazoom", (event) => {
      // What is drawn, and the labels, were for the range before: both are made anew with it.
      const range = rangeOf(event);
      isZoomed.current = range !== null;
      setZoomedTo(range);
    });
    trackPointer(made, told);
    const dom = element.current;
    const resized = new ResizeObserver(() => {
      // It tells of the size at the beginning as well, for which everything would be drawn twice.
      if (dom.clientWidth !== made.getWidth() || dom.clientHeight !== made.getHeight()) made.resize();
    });
    resized.observe(dom);
    return () => {
      resized.disconnect();
      made.dispose();
      chart.current = null;
      isDrawn.current = false;
      isArmed.current = false;
    };
  }, [element, reset]);

  // With what stands beside the chart, so that nobody takes the picture of before for that of now.
  useLayoutEffect(() => element.current?.setAttribute("aria-busy", "true"), [element, build, zoomedTo]);

  useEffect(() => {
    const dom = element.current;
    return inTurn(() => {
      if (chart.current === null) return;
      const arms = !isArmed.current && window.matchMedia("(pointer: fine)").matches;
      // The axis of another metric keeps nothing of the one before.
      chart.current.setOption(build(geometryOf(chart.current, () => zoomedTo)), {
        replaceMerge: ["series", "yAxis"],
        lazyUpdate: arms,
      });
      if (arms) {
        isArmed.current = true; // it stays so
        arm(chart.current);
      }
      isDrawn.current = true;
      dom?.setAttribute("aria-busy", "false");
    });
  }, [element, build, zoomedTo]);

  // Only what is zoomed: a reset draws this chart and all beside it anew.
  useEffect(() => {
    if (isZoomed.current) reset();
  }, [subject, reset]);

  return { zoomed: zoomedTo !== null, range: zoomedTo, reset, point, instance };
}

/** Has dragging zoom. Draws what is still to be drawn, once, and nothing of the charts beside this one. */
function arm(instance: EChartsType): void {
  instance.dispatchAction(
    { type: "takeGlobalCursor", key: "dataZoomSelect", dataZoomSelectActive: true },
    { silent: true, flush: true },
  );
}

/** As if the mouse pointed there. */
function pointAt(instance: EChartsType | null, x: number | null): void {
  if (instance === null) return;
  if (x === null) {
    instance.dispatchAction({ type: "hideTip" });
    instance.dispatchAction({ type: "updateAxisPointer", currTrigger: "leave" });
    return;
  }
  const left: number = instance.convertToPixel({ xAxisIndex: 0 }, x);
  instance.dispatchAction({ type: "showTip", x: left, y: instance.getHeight() / 2 });
}

/** The pointer's round is the one that the axis pointer snaps to. */
function trackPointer(instance: EChartsType, told: RefObject<RoundPointer>): void {
  let at: number | null = null;
  const move = (round: number | null): void => {
    if (round === at) return;
    at = round;
    told.current.hover(round);
  };
  instance.on("updateAxisPointer", (event) => {
    const x = axisPlaceOf(event);
    const roundAt = told.current.roundAt ?? wholeRound;
    move(x === null ? null : roundAt(x));
  });
  instance.getZr().on("globalout", () => move(null));
  instance.getZr().on("click", () => {
    if (at !== null) told.current.pick(at);
  });
}

function wholeRound(x: number): number | null {
  return Number.isInteger(x) ? x : null;
}

function axisPlaceOf(event: unknown): number | null {
  if (typeof event !== "object" || event === null || !("axesInfo" in event) || !Array.isArray(event.axesInfo))
    return null;
  const first: unknown = event.axesInfo[0];
  if (typeof first !== "object" || first === null || !("value" in first)) return null;
  const place = Number(first.value);
  return Number.isFinite(place) ? place : null;
}

/** The ends of a zoom by dragging; null for a reset, which names percent instead. */
function rangeOf(event: unknown): Range | null {
  if (typeof event !== "object" || event === null) return null;
  const first: unknown = "batch" in event && Array.isArray(event.batch) ? event.batch[0] : event;
  if (typeof first !== "object" || first === null || !("startValue" in first) || !("endValue" in first))
    return null;
  const range: Range = [Number(first.startValue), Number(first.endValue)];
  return range.every(Number.isFinite) ? range : null;
}
