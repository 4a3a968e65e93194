import { useMemo, useState } from "react";
import { decideOnKey, readmitClient } from "../api/requests";
import { useCommand } from "../runs/useCommand";
import { useStore } from "../store/store";
import { CommandButton } from "../ui/CommandButton";
import { Explained } from "../ui/Explained";
import { StateMark } from "../ui/StateMark";
import { type Applicant, applicants, shortKey } from "./applicants";
import styles from "./Enrolment.module.css";

/** Those who ask to join, over the clients that have: nothing goes on for them until somebody decides. */
export function Waiting() {
  const clients = useStore((state) => state.server.clients);
  const waiting = useMemo(() => applicants(clients), [clients]);
  if (waiting.length === 0) return null;
  return (
    <ul className={styles.waiting} aria-label="waiting to be let in" data-testid="waiting">
      {waiting.map((applicant) => (
        <WaitingClient key={`${applicant.client.id} ${applicant.key}`} applicant={applicant} />
      ))}
    </ul>
  );
}

function WaitingClient({ applicant: { client, key, claim } }: { applicant: Applicant }) {
  const since = useStore((state) => state.server.applied[`client_update:${client.id}`]);
  const [refusal, setRefusal] = useState<string | null>(null);
  const approve = useCommand(
    () => (claim ? readmitClient(client.id, key) : decideOnKey(client.id, "approve", key)),
    `${since}`,
  );
  const reject = useCommand(() => decideOnKey(client.id, "reject", key), `${since}`);
  const press = async (give: () => Promise<string | null>): Promise<void> => setRefusal(await give());
  return (
    <li className={styles.applicant} data-testid="applicant" data-client={client.id}>
      <StateMark mark={["clock", "warn"]} />
      <div className={styles.who}>
        <span>
          <span className="mono">{client.id}</span> {claim ? "asks to join with another key" : "asks to join"}
        </span>
        <span className="dim small">
          key{" "}
          <span className="mono">
            <Explained why={key}>{shortKey(key)}</Explained>
          </span>
          {claim
            ? ": has it lost its own? Ask it for these letters by another way"
            : ` from ${client.host}: compare these letters with what it has printed`}
        </span>
        {refusal !== null && (
          <span className={styles.refusal} role="alert">
            {refusal}
          </span>
        )}
      </div>
      <CommandButton
        label={claim ? "Re-admit" : "Approve"}
        busy={claim ? "Re-admitting…" : "Approving…"}
        taken={approve.taken}
        press={() => void press(approve.give)}
        testId="approve"
      />
      <CommandButton
        label="Reject"
        busy="Rejecting…"
        taken={reject.taken}
        press={() => void press(reject.give)}
        testId="reject"
      />
    </li>
  );
}
