/** The box that hovers over a chart. Built from elements, never from markup: client ids come from outside. */
import styles from "./tooltip.module.css";

export interface TooltipRow {
  name: string;
  text: string;
  colour: string;
  dash: "solid" | "dashed" | "dotted";
  strong: boolean;
}

export function tooltipContent(title: string, rows: readonly TooltipRow[]): HTMLElement {
  const box = document.createElement("div");
  const heading = append(box, "div", styles.title);
  heading.textContent = title;
  const list = append(box, "div", rows.length > 12 ? `${styles.rows} ${styles.columns}` : styles.rows);
  for (const row of rows) {
    const item = append(list, "div", row.strong ? `${styles.row} ${styles.strong}` : styles.row);
    const line = append(item, "span", styles.line);
    line.style.borderTop = `${row.strong ? 3 : 2}px ${row.dash} ${row.colour}`;
    append(item, "span", styles.name).textContent = row.name;
    append(item, "span", styles.value).textContent = row.text;
  }
  return box;
}

function append(parent: HTMLElement, tag: string, className: string | undefined): HTMLElement {
  const element = document.createElement(tag);
  if (className !== undefined) element.className = className;
  parent.append(element);
  return element;
}

const GAP = 16;

/**
 * Where the box goes, in pixels from the chart's corner: right of the pointer, else left of it, and always within the
 * window, whose corner is at `window.left`, `window.top` as seen from there.
 */
export function tooltipPlace(
  [x, y]: readonly [number, number],
  [width, height]: readonly [number, number],
  window: { left: number; top: number; width: number; height: number },
): [number, number] {
  const end = window.left + window.width - width;
  const left = x + GAP <= end ? x + GAP : x - GAP - width;
  const top = Math.min(y + GAP, window.top + window.height - height);
  return [Math.max(window.left, Math.min(left, end)), Math.max(window.top, top)];
}
