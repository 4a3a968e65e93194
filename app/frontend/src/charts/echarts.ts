/** ECharts with only the parts that the charts over rounds need: lines, bands and bars, drag zoom, a line at a round. */
import { CustomChart, type CustomSeriesOption, LineChart, type LineSeriesOption } from "echarts/charts";
import { GridComponent, type GridComponentOption } from "echarts/components";
import { MarkLineComponent, type MarkLineComponentOption } from "echarts/components";
import { ToolboxComponent, type ToolboxComponentOption } from "echarts/components";
import { TooltipComponent, type TooltipComponentOption } from "echarts/components";
import { type ComposeOption, connect, init, use as register } from "echarts/core";
import { LabelLayout } from "echarts/features";
import { CanvasRenderer } from "echarts/renderers";

register([
  LineChart,
  CustomChart,
  GridComponent,
  TooltipComponent,
  ToolboxComponent,
  MarkLineComponent,
  LabelLayout,
  CanvasRenderer,
]);

export type ChartOption = ComposeOption<
  | LineSeriesOption
  | CustomSeriesOption
  | GridComponentOption
  | TooltipComponentOption
  | ToolboxComponentOption
  | MarkLineComponentOption
>;
export type { EChartsType } from "echarts/core";
export type RoundAxis = NonNullable<ChartOption["xAxis"]>;
export type ValueAxis = NonNullable<ChartOption["yAxis"]>;
export { connect, type CustomSeriesOption, init, type LineSeriesOption, type TooltipComponentOption };
