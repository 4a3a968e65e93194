import type { Verdict } from "../api/types";
import { Explained } from "../ui/Explained";
import { StateMark } from "../ui/StateMark";
import styles from "./ClientTable.module.css";
import { VERDICT_MARKS } from "./marks";
import { verdictWords } from "./verdicts";

/** What was decided of a reply: a shape and a word. */
export function VerdictMark({ verdict, title }: { verdict: Verdict; title?: string }) {
  const words = verdictWords(verdict);
  return (
    <span className={styles.verdict} data-testid="verdict" data-verdict={verdict}>
      <StateMark mark={VERDICT_MARKS[verdict]} />
      <span className="ellipsis">
        {title === undefined ? words : <Explained why={title}>{words}</Explained>}
      </span>
    </span>
  );
}
