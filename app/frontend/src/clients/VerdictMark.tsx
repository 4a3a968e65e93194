import type { Verdict } from "../api/types";
import { StateMark } from "../ui/StateMark";
import styles from "./ClientTable.module.css";
import { VERDICT_MARKS } from "./marks";
import { verdictWords } from "./verdicts";

/** What was decided of a reply: a shape and a word. */
export function VerdictMark({ verdict, title }: { verdict: Verdict; title?: string }) {
  return (
    <span className={styles.verdict} title={title} data-testid="verdict" data-verdict={verdict}>
      <StateMark mark={VERDICT_MARKS[verdict]} />
      <span className="ellipsis">{verdictWords(verdict)}</span>
    </span>
  );
}
