import { plural } from "../format/format";
import type { AppLabels } from "../runs/round-words";
import { type Mark, StateMark } from "../ui/StateMark";
import { Clock } from "../ui/Value";
import styles from "./EventFeed.module.css";
import { EventRow } from "./EventRow";
import { type Fold, missingIn, roundSentence } from "./timeline";

const WHOLE: Mark = ["check", "good"];
const WITHOUT: Mark = ["clock", "warn"];

interface RoundRowProps {
  fold: Fold;
  labels: AppLabels;
  open: boolean;
  toggle: () => void;
  /** Whether the traceback of a line is shown, and how that is changed. */
  opened: ReadonlySet<string>;
  toggleLine: (seq: number) => void;
}

/** A round in a sentence, which opens to what was told of it. */
export function RoundRow({ fold, labels, open, toggle, opened, toggleLine }: RoundRowProps) {
  const { round, lines, time } = fold;
  const whole = missingIn(round).length === 0;
  return (
    <>
      <div className={styles.row} data-testid="round-row" data-round={round.round}>
        <span className={styles.time}>
          <Clock time={time} />
        </span>
        <span className={styles.level}>
          <StateMark
            mark={whole ? WHOLE : WITHOUT}
            label={whole ? "a round is over" : "a round went on without somebody"}
          />
        </span>
        <div className={styles.message}>
          <span>{roundSentence(round, labels)}</span>
          {lines.length > 0 && (
            <button type="button" className={styles.toggle} aria-expanded={open} onClick={toggle}>
              {open ? "hide" : plural(lines.length, "line")}
            </button>
          )}
        </div>
      </div>
      {open && (
        <div className={styles.lines}>
          {lines.map((entry) => (
            <EventRow
              key={entry.seq}
              entry={entry}
              open={opened.has(String(entry.seq))}
              toggle={() => toggleLine(entry.seq)}
            />
          ))}
        </div>
      )}
    </>
  );
}
