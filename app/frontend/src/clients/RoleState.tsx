import type { Client } from "../api/types";
import { took } from "../format/format";
import { Explained } from "../ui/Explained";
import { StateMark } from "../ui/StateMark";
import { Late } from "../ui/Value";
import styles from "./RoleState.module.css";
import { SENT_AWAY } from "./marks";
import { type ClientRole, ROLE_MARKS, roleWord } from "./roles";
import { VerdictMark } from "./VerdictMark";
import { countsTitle } from "./verdicts";

interface RoleStateProps {
  client: Client;
  role: ClientRole;
  /** Seconds that its update in the round took; null: there is none. */
  delivered: number | null;
  /** With how far it is, where nothing beside this says so. */
  bar?: boolean;
}

/** What a client is in the round: a mark, a word, and what there is to say of it. */
export function RoleState({ client, role, delivered, bar = false }: RoleStateProps) {
  const admitted = client.membership === "admitted";
  const { done, total } = client.progress ?? { done: 0, total: 0 };
  const word = admitted ? roleWord(role) : client.membership;
  const works = bar && client.progress !== null && total > 0;
  return (
    <span className={bar ? styles.state : `${styles.state} ${styles.whole}`} data-testid="client-state">
      <StateMark mark={admitted ? ROLE_MARKS[role] : SENT_AWAY} />
      <span className={bar ? "ellipsis" : styles.word}>
        {client.reason === null ? word : <Explained why={client.reason}>{word}</Explained>}
        {role === "late" && client.late_since !== null && <Late since={client.late_since} />}
        {bar && (role === "delivered" || role === "evaluated") && delivered !== null && (
          <> in {took(delivered)}</>
        )}
      </span>
      {works && (
        <span
          className={styles.bar}
          role="progressbar"
          aria-label={role}
          aria-valuemin={0}
          aria-valuemax={total}
          aria-valuenow={done}
        >
          <span style={{ transform: `scaleX(${Math.min(1, done / total)})` }} />
        </span>
      )}
      {!bar && client.verdict !== null && (
        <VerdictMark verdict={client.verdict} title={countsTitle(client)} />
      )}
    </span>
  );
}
