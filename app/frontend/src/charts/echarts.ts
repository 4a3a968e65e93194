/** ECharts with only the parts that a line chart with drag zoom needs. */
import { LineChart, type LineSeriesOption } from "echarts/charts";
import { GridComponent, type GridComponentOption } from "echarts/components";
import { ToolboxComponent, type ToolboxComponentOption } from "echarts/components";
import { TooltipComponent, type TooltipComponentOption } from "echarts/components";
import { type ComposeOption, connect, init, use as register } from "echarts/core";
import { LabelLayout } from "echarts/features";
import { CanvasRenderer } from "echarts/renderers";

register([LineChart, GridComponent, TooltipComponent, ToolboxComponent, LabelLayout, CanvasRenderer]);

export type ChartOption = ComposeOption<
  LineSeriesOption | GridComponentOption | TooltipComponentOption | ToolboxComponentOption
>;
export type { EChartsType } from "echarts/core";
export type RoundAxis = NonNullable<ChartOption["xAxis"]>;
export { connect, init, type LineSeriesOption, type TooltipComponentOption };
