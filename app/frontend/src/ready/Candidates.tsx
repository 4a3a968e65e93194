import { count } from "../format/format";
import { StateMark } from "../ui/StateMark";
import type { Candidate } from "./ready";
import styles from "./Ready.module.css";

const SHOWN = 8;

/** The connected clients, each with its data set and whether it fits; those that do not come first. */
export function Candidates({ candidates }: { candidates: readonly Candidate[] }) {
  if (candidates.length === 0) return <p className="dim">No client is connected.</p>;
  const unfit = candidates.filter(({ objection }) => objection !== null);
  const ordered = [...unfit, ...candidates.filter(({ objection }) => objection === null)];
  const more = ordered.length - SHOWN;
  return (
    <ul className={styles.candidates}>
      {ordered.slice(0, SHOWN).map(({ client, objection }) => (
        <li
          key={client.id}
          className={styles.candidate}
          data-testid="candidate"
          data-client={client.id}
          data-fits={objection === null}
        >
          <StateMark mark={objection === null ? ["check", "good"] : ["triangle", "warn"]} />
          <span>
            <span className="mono">{client.id}</span>{" "}
            <span className="dim">{objection ?? `${client.app ?? client.dataset}: it fits`}</span>
          </span>
        </li>
      ))}
      {more > 0 && <li className="dim">and {count(more)} more, in the list of clients</li>}
    </ul>
  );
}
