import { useMemo } from "react";
import { latestSpent, left, type Spent, spentTitle, spentWords } from "../clients/spent";
import { clientsRun, roundsOf, useStore } from "../store/store";
import { StateMark } from "../ui/StateMark";
import styles from "./Trust.module.css";

/** What each client has spent of its data's privacy against its site's budget, in a private run. */
export function Budgets() {
  const rounds = useStore((state) => roundsOf(state, clientsRun(state)));
  const spent = useMemo(() => [...latestSpent(rounds)], [rounds]);
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
  const isOver = spent.declined || left(spent) === 0;
  return (
    <li title={spentTitle(spent)} data-testid="budget" data-client={client}>
      <span>{client}</span>
      {spent.budget === null ? (
        <span />
      ) : (
        <meter
          min={0}
          max={spent.budget}
          value={Math.min(spent.epsilon, spent.budget)}
          aria-label={`spent by ${client}`}
        />
      )}
      <span className="mono">{spentWords(spent)}</span>
      {isOver && (
        <span className={styles.witnessed}>
          <StateMark mark={["half", "quiet"]} /> its site declines further rounds
        </span>
      )}
    </li>
  );
}
