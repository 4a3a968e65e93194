import { Choice } from "../ui/Choice";
import { hasLogarithm, type Metric, startsAtZero } from "./metrics";
import { type View, Y_AXES } from "./view";
import styles from "./ViewControls.module.css";

interface YControlsProps {
  view: View;
  change: (part: Partial<View>) => void;
  /** Of which alone the chart is: what would change nothing is left out. */
  metric?: Metric;
}

/** How the axis upwards is drawn. */
export function YControls({ view, change, metric }: YControlsProps) {
  return (
    <>
      {(metric === undefined || !startsAtZero(metric)) && (
        <Choice label="y axis" options={Y_AXES} chosen={view.y} change={(y) => change({ y })} testId="y" />
      )}
      {(metric === undefined || hasLogarithm(metric)) && (
        <button
          type="button"
          className={styles.toggle}
          aria-pressed={view.log}
          onClick={() => change({ log: !view.log })}
          title="a logarithmic axis for loss, and for other numbers above zero"
          data-testid="log"
        >
          log
        </button>
      )}
    </>
  );
}
