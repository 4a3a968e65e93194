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
