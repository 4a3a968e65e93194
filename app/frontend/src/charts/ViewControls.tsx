import { Choice } from "../ui/Choice";
import { usePins } from "../clients/usePins";
import { Explained } from "../ui/Explained";
import { useView } from "./useView";
import styles from "./ViewControls.module.css";
import { MOST_SMOOTH, X_AXES } from "./view";
import { YControls } from "./YControls";

const SMOOTH_STEP = 0.05;

/** How all curves are drawn, in one row; what is chosen stands in the address, and is remembered. */
export function ViewControls() {
  const [view, change] = useView();
  const { pinned, clear } = usePins();
  return (
    <div className={styles.row} role="toolbar" aria-label="how the curves are drawn" data-testid="view">
      <span className="dim small">x</span>
      <Choice label="x axis" options={X_AXES} chosen={view.x} change={(x) => change({ x })} testId="x" />
      <span className="dim small">y</span>
      <YControls view={view} change={change} />
      <span className={styles.smooth}>
        <span className="dim small">
          <Explained why="exponential moving average; the raw values stay behind it">smooth</Explained>
        </span>
        <input
          type="range"
          min={0}
          max={MOST_SMOOTH}
          step={SMOOTH_STEP}
          value={view.smooth}
          aria-label="smooth"
          onChange={(event) => change({ smooth: Number(event.currentTarget.value) })}
          aria-valuetext={view.smooth === 0 ? "not smoothed" : view.smooth.toFixed(2)}
          data-testid="smooth"
        />
        <span className="mono small">{view.smooth.toFixed(2)}</span>
      </span>
      {pinned.length > 0 && (
        <button
          type="button"
          className={styles.toggle}
          onClick={clear}
          title={`pinned: ${pinned.join(", ")}`}
          data-testid="unpin-all"
        >
          unpin {pinned.length}
        </button>
      )}
    </div>
  );
}
