import { type RefObject, useCallback, useEffect, useRef, useState } from "react";
import { type ChartOption, connect, type EChartsType, init } from "./echarts";
import type { Geometry } from "./labels";

const GROUP = "rounds";

type Range = readonly [number, number];

interface Zoom {
  zoomed: boolean;
  reset: () => void;
}

/** What the reader does with a round of the curves. */
export interface RoundPointer {
  /** The pointer is over this round; null: it left. */
  hover: (round: number | null) => void;
  pick: (round: number) => void;
}

/**
 * An ECharts instance in the given element: resized with it, hover and zoom shared with the other charts.
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
  const [zoomed, setZoomed] = useState(false);
  const range = useRef<Range | null>(null);
  const told = useRef(pointer);
  useEffect(() => {
    told.current = pointer;
  });
  const reset = useCallback(() => {
    chart.current?.dispatchAction({ type: "dataZoom", start: 0, end: 100 });
  }, []);

  useEffect(() => {
    if (element.current === null) return;
    const instance = init(element.current);
    chart.current = instance;
    instance.group = GROUP;
    connect(GROUP);
    instance.getZr().on("dblclick", reset);
    instance.on("datazoom", (event) => {
      range.current = rangeOf(event);
      setZoomed(range.current !== null);
    });
    trackPointer(instance, told);
    const resized = new ResizeObserver(() => instance.resize());
    resized.observe(element.current);
    return () => {
      resized.disconnect();
      instance.dispose();
      chart.current = null;
    };
  }, [element, reset]);

  useEffect(() => {
    const instance = chart.current;
    if (instance === null) return;
    // The axis of another metric keeps nothing of the one before.
    instance.setOption(build(geometryOf(instance, range)), { replaceMerge: ["series", "yAxis"] });
    if (window.matchMedia("(pointer: fine)").matches) {
      instance.dispatchAction({
        type: "takeGlobalCursor",
        key: "dataZoomSelect",
        dataZoomSelectActive: true,
      });
    }
  }, [build]);

  useEffect(reset, [subject, reset]);

  return { zoomed, reset };
}

/** The pointer's round is the one that the axis pointer snaps to. */
function trackPointer(instance: EChartsType, told: RefObject<RoundPointer>): void {
  let at: number | null = null;
  const move = (round: number | null): void => {
    if (round === at) return;
    at = round;
    told.current.hover(round);
  };
  instance.on("updateAxisPointer", (event) => move(axisRoundOf(event)));
  instance.getZr().on("globalout", () => move(null));
  instance.getZr().on("click", () => {
    if (at !== null) told.current.pick(at);
  });
}

function axisRoundOf(event: unknown): number | null {
  if (typeof event !== "object" || event === null || !("axesInfo" in event) || !Array.isArray(event.axesInfo))
    return null;
  const first: unknown = event.axesInfo[0];
  if (typeof first !== "object" || first === null || !("value" in first)) return null;
  const round = Number(first.value);
  return Number.isInteger(round) ? round : null;
}

function geometryOf(instance: EChartsType, range: RefObject<Range | null>): Geometry {
  return {
    xOf: (round) => instance.convertToPixel({ xAxisIndex: 0 }, round),
    yOf: (value) => instance.convertToPixel({ yAxisIndex: 0 }, value),
    height: () => instance.getHeight(),
    window: () => {
      const { left, top } = instance.getDom().getBoundingClientRect();
      return {
        left: -left,
        top: -top,
        width: document.documentElement.clientWidth,
        height: window.innerHeight,
      };
    },
    range: () => range.current,
  };
}

/** The rounds of a zoom by dragging; null for a reset, which names percent instead. */
function rangeOf(event: unknown): Range | null {
  if (typeof event !== "object" || event === null) return null;
  const first: unknown = "batch" in event && Array.isArray(event.batch) ? event.batch[0] : event;
  if (typeof first !== "object" || first === null || !("startValue" in first) || !("endValue" in first))
    return null;
  const range: Range = [Number(first.startValue), Number(first.endValue)];
  return range.every(Number.isFinite) ? range : null;
}
