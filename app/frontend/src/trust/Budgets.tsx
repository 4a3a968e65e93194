import { useMemo } from "react";
import { Link } from "wouter";
import type { Run } from "../api/types";
import { latestSpent, type Spent, spentTitle, spentWords } from "../clients/spent";
import { plural } from "../format/format";
import { isPrivate } from "../runs/spec-words";
import { natural } from "../store/server-state";
import { clientsRun, roundsOf, useStore } from "../store/store";
import { Explained } from "../ui/Explained";
import styles from "./Trust.module.css";

/** So many clients are named; the others are in their table. */
const MOST_NAMED = 12;

/** What each client has spent of its data's privacy against its site's budget, in a private run. */
export function Budgets() {
  const run = useStore(clientsRun);
  const rounds = useStore((state) => roundsOf(state, clientsRun(state)));
  const spent = useMemo(() => budgetsOf(latestSpent(rounds)), [rounds]);
  if (spent.length === 0) return <NothingSpent run={run} />;
  return (
    <section className={styles.budgets} aria-label="privacy budgets" data-testid="budgets">
      <p className="dim">privacy spent (ε), as each client's own ledger says</p>
      <ul>
        {spent.slice(0, MOST_NAMED).map(([id, of]) => (
          <Budget key={id} client={id} spent={of} />
        ))}
        {spent.length > MOST_NAMED && (
          <li>
            <Link href="/clients?sort=ε&order=desc">{plural(spent.length - MOST_NAMED, "other client")}</Link>
          </li>
        )}
      </ul>
    </section>
  );
}

/** By name; of more than are named, those first that have spent the largest part of what they may. */
function budgetsOf(spent: ReadonlyMap<string, Spent>): [string, Spent][] {
  const byName = [...spent].sort(([a], [b]) => natural.compare(a, b));
  if (byName.length <= MOST_NAMED) return byName;
  const part = ({ epsilon, budget }: Spent): number => (budget === null ? 0 : epsilon / budget);
  return byName.sort(([, a], [, b]) => part(b) - part(a) || b.epsilon - a.epsilon);
}

/** Why a private run has no ε. */
function NothingSpent({ run }: { run: Run | null }) {
  if (run === null || !isPrivate(run.spec)) return null;
  return (
    <p className="dim" data-testid="no-budgets">
      {run.spec.dp === null
        ? `Run ${run.id} spends no privacy (ε) of single clients: secure aggregation hides each update in the sum and adds no noise.`
        : `What the clients spend of their privacy (ε) in run ${run.id} is known after their first training.`}
    </p>
  );
}

function Budget({ client, spent }: { client: string; spent: Spent }) {
  return (
    <li data-testid="budget" data-client={client}>
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
        <Explained why={spentTitle(spent)}>
          <span className="mono">{spentWords(spent)}</span>
        </Explained>
        {spent.declined && <span className="dim">, declines further rounds</span>}
      </span>
    </li>
  );
}
