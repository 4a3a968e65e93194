import { NO_DATA } from "../format/format";
import { Explained } from "../ui/Explained";
import { Value } from "../ui/Value";
import styles from "./ClientTable.module.css";
import { labelLines, NO_LABELS } from "./results";

/** Units of the drawing: one label is a bar with a gap beside it, a full bar is as high as the strip. */
const PITCH = 4;
const HEIGHT = 16;

interface LabelStripProps {
  counts: readonly number[] | null;
  classes: readonly string[];
  /** Why the run's clients do not tell it; null: they do. */
  kept: string | null;
}

/** How a client's training samples are spread over the labels; it opens to the counts. */
export function LabelStrip({ counts, classes, kept }: LabelStripProps) {
  if (counts === null || counts.length === 0) return <Value text={NO_DATA} why={kept ?? NO_LABELS} />;
  const most = Math.max(1, ...counts);
  const lines = labelLines(counts, classes);
  return (
    <Explained
      why={["training samples by label", ...lines].join("\n")}
      label={`samples by label: ${lines.join(", ")}`}
      look="wide"
    >
      <span className={styles.strip} data-testid="label-strip">
        <svg viewBox={`0 0 ${counts.length * PITCH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          {counts.map((samples, label) => {
            // A label with few samples must not look like one with none.
            const height = samples === 0 ? 0 : Math.max(1.5, (samples / most) * HEIGHT);
            return (
              <rect key={label} x={label * PITCH} y={HEIGHT - height} width={PITCH - 1} height={height} />
            );
          })}
        </svg>
      </span>
    </Explained>
  );
}
