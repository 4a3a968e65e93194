import { useMemo } from "react";
import type { Client, Run } from "../api/types";
import { count } from "../format/format";
import { useStore } from "../store/store";
import { CopyCommand } from "../ui/CopyCommand";
import styles from "./ClientTable.module.css";
import { isMissing } from "./blockers";
import { RestartCommands } from "./RestartCommands";
import { useJoinCommand } from "./useJoinCommand";

/** In place of the table: the next step, unless the ready check has it. */
export function NoClients({ checking }: { checking: boolean }) {
  const join = useJoinCommand();
  if (checking)
    return (
      <p className={`${styles.empty} dim`} data-testid="no-clients">
        No client is connected. The ready check says how to start one.
      </p>
    );
  if (join === undefined) return null;
  return (
    <div className={styles.empty} data-testid="no-clients">
      <p>No client is connected. Start one in a terminal on this machine:</p>
      <CopyCommand command={join} testId="join-command" />
      <p className="dim">
        Each further client needs an id of its own: client-2, client-3. For one on another machine, make an
        invitation with Invite.
      </p>
    </div>
  );
}

/** Below the table, where it moves nothing, as long as the run waits for clients that are not there; else nothing. */
export function MoreClients({ run }: { run: Run }) {
  const waiting = run.state === "waiting" ? run.waiting_for : null;
  if (waiting?.kind === "clients")
    return <Missing run={run} have={waiting.have ?? 0} need={waiting.need ?? 0} />;
  // How many replies are missing, and whose, the bar says.
  if (waiting?.kind === "replies" && waiting.lost.length > 0) return <Gone run={run} />;
  return null;
}

/** Without their replies the round does not go on. */
function Gone({ run }: { run: Run }) {
  const join = useJoinCommand();
  const lost = useMissing(run);
  if (join === undefined || lost.length === 0) return null;
  return (
    <div className={styles.below} data-testid="more-clients">
      <RestartCommands join={join} lost={lost} />
    </div>
  );
}

/** Those who had a part in the run and are gone come first: a new client would begin without their data. */
function Missing({ run, have, need }: { run: Run; have: number; need: number }) {
  const join = useJoinCommand();
  const lost = useMissing(run);
  if (join === undefined || have >= need) return null;
  const fresh = need - have - lost.length;
  const there = `${count(have)} of ${count(need)} clients are there.`;
  const start = `Start ${count(fresh)} more:`;
  return (
    <div className={styles.below} data-testid="more-clients">
      {lost.length > 0 && (
        <>
          <p>{there}</p>
          <RestartCommands join={join} lost={lost} />
        </>
      )}
      {fresh > 0 && (
        <>
          <p>{lost.length > 0 ? start : `${there} ${start}`}</p>
          <CopyCommand command={join} testId="join-command" />
        </>
      )}
    </div>
  );
}

function useMissing(run: Run): readonly Client[] {
  const clients = useStore((state) => state.server.clients);
  return useMemo(() => clients.filter((client) => isMissing(client, run)), [clients, run]);
}
