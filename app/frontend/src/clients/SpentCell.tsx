import { epsilon } from "../format/format";
import { Value } from "../ui/Value";
import styles from "./ClientTable.module.css";
import { type Spent, spentTitle } from "./spent";

const NOT_SPENT = "known after its first training in this run";

/** What a client has spent of its data's privacy, and of what budget. */
export function SpentCell({ spent }: { spent: Spent | undefined }) {
  return (
    <div role="cell" className={styles.cell} data-label="ε">
      <span className={styles.number} data-testid="client-epsilon">
        <Value text={epsilon(spent?.epsilon)} why={NOT_SPENT} about={spent && spentTitle(spent)} />
      </span>
      {spent?.budget != null && (
        <span className={styles.under} data-testid="client-budget">
          of {epsilon(spent.budget)}
        </span>
      )}
    </div>
  );
}
