/** ECharts' renderer for files; loaded when the first chart is saved as one. */
import { use as register } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

export function registerSvg(): void {
  register([SVGRenderer]);
}
