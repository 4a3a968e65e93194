import { type RefObject, useCallback, useEffect, useRef, useState } from "react";
import { type ChartOption, connect, type EChartsType, init } from "./echarts";
import type { Geometry } from "./option";

const GROUP = "rounds";

type Range = readonly [number, number];

interface Zoom {
  zoomed: boolean;
  reset: () => void;
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
): Zoom {
  const chart = useRef<EChartsType | null>(null);
  const [zoomed, setZoomed] = useState(false);
  const range = useRef<Range | null>(null);
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
    instance.setOption(build(geometryOf(instance, range)), { replaceMerge: ["series"] });
    if (window.matchMedia("(pointer: fine)").matches) {
      instance.dispatchAction({ type: "takeGlobalCursor", key: "dataZoomSelect", dataZoomSelectActive: true });
    }
  }, [build]);

  useEffect(reset, [subject, reset]);

  return { zoomed, reset };
}

function geometryOf(instance: EChartsType, range: RefObject<Range | null>): Geometry {
  return {
    xOf: (round) => instance.convertToPixel({ xAxisIndex: 0 }, round),
    yOf: (value) => instance.convertToPixel({ yAxisIndex: 0 }, value),
    height: () => instance.getHeight(),
    range: () => range.current,
  };
}

/** The rounds of a zoom by dragging; null for a reset, which names percent instead. */
function rangeOf(event: unknown): Range | null {
  if (typeof event !== "object" || event === null) return null;
  const first: unknown = "batch" in event && Array.isArray(event.batch) ? event.batch[0] : event;
  if (typeof first !== "object" || first === null || !("startValue" in first) || !("endValue" in first)) return null;
  const range: Range = [Number(first.startValue), Number(first.endValue)];
  return range.every(Number.isFinite) ? range : null;
}
