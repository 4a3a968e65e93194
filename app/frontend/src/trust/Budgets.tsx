import { useMemo } from "react";
import { latestSpent, type Spent, spentTitle, spentWords } from "../clients/spent";
import { natural } from "../store/server-state";
import { clientsRun, roundsOf, useStore } from "../store/store";
import styles from "./Trust.module.css";

/** What each client has spent of its data's privacy against its site's budget, in a private run. */
export function Budgets() {
  const rounds = useStore((state) => roundsOf(state, clientsRun(state)));
  const spent = useMemo(() => [...latestSpent(rounds)].sort(([a], [b]) => natural.compare(a, b)), [rounds]);
  if (spent.length === 0) return null;
  return (
    <section className={styles.budgets} aria-label="privacy budgets" data-testid="budgets">
      <p className="dim">privacy spent (ε), as each client's own ledger says</p>
      <ul>
        {spent.map(([id, of]) => (
          <Budget key={id} client={id} spent={of} />
        ))}
      </ul>
    </section>
  );
}

function Budget({ client, spent }: { client: string; spent: Spent }) {
  return (
    <li title={spentTitle(spent)} data-testid="budget" data-client={client}>
      <span>{client}</span>
      {spent.budget !== null && (
        <meter
          min={0}
          max={spent.budget}
          value={Math.min(spent.epsilon, spent.budget)}
          aria-label={`spent by ${client}`}
        />
      )}
      <span>
        <span className="mono">{spentWords(spent)}</span>
        {spent.declined && <span className="dim">, declines further rounds</span>}
      </span>
    </li>
  );
}
