/** A chart as a picture: what is shown, as pixels or as a drawing. */
import type { ChartOption, EChartsType } from "./echarts";
import { init } from "./echarts";
import { geometryOf } from "./geometry";
import type { Geometry } from "./labels";

/** Twice the pixels, for print. */
const DENSITY = 2;

export function pngOf(instance: EChartsType, background: string): Blob {
  const url = instance.getDataURL({ type: "png", pixelRatio: DENSITY, backgroundColor: background });
  return blobOf(url);
}

/** Without a request, which the page's rules for what it may connect to would refuse. */
function blobOf(dataUrl: string): Blob {
  const [head = "", body = ""] = dataUrl.split(",");
  const bytes = Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: /data:([^;]+)/.exec(head)?.[1] ?? "image/png" });
}

/** The same chart drawn once more, by a renderer of its own, in the size that it has and in the range in view. */
export async function svgOf(
  instance: EChartsType,
  build: (geometry: Geometry) => ChartOption,
  range: readonly [number, number] | null,
  background: string,
): Promise<Blob> {
  const { registerSvg } = await import("./svg");
  registerSvg();
  const [width, height] = [instance.getWidth(), instance.getHeight()];
  const copy = init(null, null, { renderer: "svg", ssr: true, width, height });
  const geometry = geometryOf(copy, () => range);
  const option = build({ ...geometry, window: () => ({ left: 0, top: 0, width, height }) });
  const [from, to] = range ?? [undefined, undefined];
  copy.setOption({
    ...option,
    backgroundColor: background,
    xAxis: Object.assign({}, option.xAxis, from === undefined ? {} : { min: from, max: to }),
  });
  const svg = copy.renderToSVGString();
  copy.dispose();
  return new Blob([svg], { type: "image/svg+xml" });
}

/** Has the browser keep a file. */
export function saveFile(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // Not before the browser has begun to read it.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
