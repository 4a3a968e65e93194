import { StateMark } from "../ui/StateMark";
import styles from "./RoleState.module.css";
import { ROLE_MARKS, roleWord } from "./roles";
import { RoleState } from "./RoleState";
import type { RunClient } from "./useRunClients";

/** What a client is in a run: with how far it is, where it works now; else a mark and a word. */
export function PartState({ part: { client, role } }: { part: RunClient }) {
  if (client !== undefined)
    return <RoleState client={client} role={role} delivered={null} bar={client.progress !== null} />;
  return (
    <span className={styles.state} data-testid="client-state">
      <StateMark mark={ROLE_MARKS[role]} />
      <span className="ellipsis">{roleWord(role)}</span>
    </span>
  );
}
