import { count, number } from "../format/format";
import { Traceback } from "../ui/Traceback";
import styles from "./ClientTable.module.css";
import type { LatestResult } from "./results";

/** What a client's row has no column for: why it failed, and the numbers of another Flower app. */
export function ClientDetails({ latest }: { latest: LatestResult }) {
  const { round, result } = latest;
  const metrics = Object.entries(result.metrics);
  return (
    <div role="row" className={styles.details} data-testid="client-details">
      <div role="cell" aria-colspan={6}>
        {result.error !== null && <Traceback text={result.error} />}
        {metrics.length > 0 && (
          <dl className={styles.metrics} aria-label={`metrics of round ${count(round)}`}>
            <div>
              <dt>round</dt>
              <dd>{count(round)}</dd>
            </div>
            {metrics.map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd title={String(value)}>{number(value)}</dd>
              </div>
            ))}
          </dl>
        )}
      </div>
    </div>
  );
}
