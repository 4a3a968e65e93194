import { useMemo } from "react";
import { Link } from "wouter";
import { ClientLink } from "../clients/ClientLink";
import { useStore } from "../store/store";
import { plural } from "../format/format";
import styles from "./Trust.module.css";
import { countsWords, refusedFirst, sumOf } from "./replies";

/** So many clients are named; the others are in their table. */
const MOST_NAMED = 5;

/** What was decided of the clients' replies, in all and of those of whom some were refused. */
export function Replies() {
  const clients = useStore((state) => state.server.clients);
  const sum = useMemo(() => sumOf(clients), [clients]);
  const some = useMemo(() => refusedFirst(clients), [clients]);
  if (sum.size === 0) return <p className="dim">No client has sent anything yet that could be judged.</p>;
  return (
    <section aria-label="verdicts on replies" data-testid="replies">
      <p>replies of clients, each judged before anybody uses it: {countsWords(sum)}</p>
      {some.length > 0 && (
        <ul className={styles.witnesses}>
          {some.slice(0, MOST_NAMED).map(({ id, counts }) => (
            <li key={id} className={styles.judged} data-client={id}>
              <ClientLink id={id} /> <span className="dim">{countsWords(counts)}</span>
            </li>
          ))}
          {some.length > MOST_NAMED && (
            <li>
              <Link href="/clients?sort=refused&order=desc">
                {plural(some.length - MOST_NAMED, "other client")}
              </Link>
            </li>
          )}
        </ul>
      )}
    </section>
  );
}
