/** Where things are in a drawn chart. */
import type { EChartsType } from "./echarts";
import type { Geometry } from "./labels";

/** The ends of what is in view. */
export type Range = readonly [number, number];

export function geometryOf(instance: EChartsType, range: () => Range | null): Geometry {
  return {
    xOf: (x) => instance.convertToPixel({ xAxisIndex: 0 }, x),
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
    range,
  };
}
