import { endLocalClient, endLocalClients, startLocalClients } from "../api/requests";
import type { LocalClient, RunSpec } from "../api/types";
import { CommandButton } from "../ui/CommandButton";
import { StateMark } from "../ui/StateMark";
import styles from "./Ready.module.css";
import { useLocalClients } from "./useLocalClients";

interface LocalClientsProps {
  /** So many are missing. */
  missing: number;
  /** What they are to train on; null: an app decides. */
  dataset: RunSpec["dataset"] | null;
}

/** Starts and ends client processes on the server's machine; nothing where the server or the reader's role does not allow it. */
export function LocalClients({ missing, dataset }: LocalClientsProps) {
  const local = useLocalClients();
  if (!local.offered) return null;
  const wanted = Math.min(Math.max(missing - local.starting.length, 0), local.room);
  const running = local.clients.filter(({ state }) => state === "running");
  const ended = local.clients.filter(({ state }) => state === "ended");
  return (
    <div className={styles.local} data-testid="local-clients">
      <div className={styles.buttons}>
        {wanted > 0 && (
          <CommandButton
            label={wanted === 1 ? "Start a client here" : `Start ${wanted} here`}
            busy="Starting…"
            taken={local.busy}
            press={() => void local.make(() => startLocalClients({ count: wanted, dataset }))}
            title="client processes on the server's machine, which end with the server"
            testId="start-here"
          />
        )}
        <span className={`${styles.starting} dim small`} role="status" data-testid="local-starting">
          {local.starting.length > 0 &&
            `${local.starting.join(", ")} ${local.starting.length === 1 ? "is" : "are"} starting`}
        </span>
        {running.length > 0 && (
          <CommandButton
            label={
              running.length === 1 ? `End ${running[0]?.id ?? ""}` : `End all ${running.length} local clients`
            }
            busy="Ending…"
            taken={local.busy}
            press={() => void local.make(endLocalClients)}
            testId="end-local"
          />
        )}
      </div>
      {ended.length > 0 && (
        <ul className={styles.ended} aria-label="local clients that have ended">
          {ended.map((client) => (
            <Ended
              key={client.id}
              client={client}
              busy={local.busy}
              remove={() => void local.make(() => endLocalClient(client.id))}
            />
          ))}
        </ul>
      )}
      {local.failure !== null && (
        <p className={styles.failure} role="alert" data-testid="local-failure">
          {local.failure}
        </p>
      )}
    </div>
  );
}

function Ended({ client, busy, remove }: { client: LocalClient; busy: boolean; remove: () => void }) {
  return (
    <li className={styles.candidate} data-testid="local-ended">
      <StateMark mark={["cross", "bad"]} />
      <span>
        <span className="mono">{client.id}</span> has ended. {client.reason}
      </span>
      <CommandButton label="Dismiss" busy="Dismiss" taken={busy} press={remove} testId="dismiss-local" />
    </li>
  );
}
