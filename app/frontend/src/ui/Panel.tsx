import { useId, type ReactNode } from "react";
import styles from "./Panel.module.css";

interface PanelProps {
  title: string;
  /** In place of the title, which then is there for the ear alone. */
  select?: ReactNode;
  /** Stands beside the title: the newest value, counts. */
  beside?: ReactNode;
  /** Stands at the right end: filters, commands. */
  actions?: ReactNode;
  area: string;
  /** Pixels for the title, where what stands beside it is to be aligned with other panels. */
  titleWidth?: number;
  children: ReactNode;
}

export function Panel({ title, select, beside, actions, area, titleWidth, children }: PanelProps) {
  const id = useId();
  return (
    <section className={styles.panel} style={{ gridArea: area }} aria-labelledby={id}>
      <header className={styles.header}>
        {select ? (
          <h2 id={id} className="hidden-visually">
            {title}
          </h2>
        ) : (
          <h2 id={id} className={styles.title} style={{ minWidth: titleWidth }}>
            {title}
          </h2>
        )}
        {select}
        {beside}
        <span className={styles.space} />
        {actions}
      </header>
      <div className={styles.body}>{children}</div>
    </section>
  );
}
