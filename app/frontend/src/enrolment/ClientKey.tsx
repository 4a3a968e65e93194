import { Button } from "@mantine/core";
import { useState } from "react";
import { forgetClient, readmitClient, revokeClient } from "../api/requests";
import type { Client } from "../api/types";
import { NO_DATA } from "../format/format";
import { useMay } from "../login/who";
import { useCommand } from "../runs/useCommand";
import { Asked } from "../ui/Asked";
import { Value } from "../ui/Value";
import { shortKey } from "./applicants";
import styles from "./Enrolment.module.css";

const MEMBERSHIPS: Record<Client["membership"], string> = {
  admitted: "admitted",
  pending: "waits to be let in",
  rejected: "rejected: its key is not let in",
  revoked: "revoked: its key is not let in any more",
};

/** Who a client is, by its key, whether it may be here, and how that is changed. */
export function ClientKey({ client }: { client: Client }) {
  const mayForget = useMay("admin");
  return (
    <>
      <dl className={styles.facts} data-testid="client-key">
        <dt className="dim">key</dt>
        <dd className={`${styles.key} mono`}>
          <Value text={client.key ?? NO_DATA} why="it was here before clients had keys" />
        </dd>
        <dt className="dim">compare</dt>
        <dd className="mono">
          <Value text={client.key === null ? NO_DATA : shortKey(client.key)} why="it has no key" />
        </dd>
        <dt className="dim">membership</dt>
        <dd>{client.ephemeral ? "admitted until it leaves" : MEMBERSHIPS[client.membership]}</dd>
      </dl>
      <div className={styles.commands}>
        {client.membership === "admitted" && client.key !== null && <Revoke client={client} />}
        {client.membership === "admitted" && client.state === "lost" && mayForget && (
          <Forget client={client} />
        )}
        {(client.membership === "revoked" || client.membership === "rejected") && <Readmit client={client} />}
      </div>
    </>
  );
}

function Revoke({ client }: { client: Client }) {
  const cutOff =
    client.state === "lost"
      ? ""
      : "It is cut off at once. What it works on is lost, and the run goes on without it. ";
  return (
    <Decision
      word="Revoke"
      busy="Revoking…"
      client={client}
      consequence={`${cutOff}It cannot join any more, with an invitation neither, until you re-admit it.`}
      change={() => revokeClient(client.id)}
      until={client.membership}
      testId="revoke"
    />
  );
}

/** One that is gone, and does not come again. */
function Forget({ client }: { client: Client }) {
  return (
    <Decision
      word="Forget"
      busy="Forgetting…"
      client={client}
      consequence={
        `${client.id} is not listed any more, and what its machine was used for is deleted. Its part in past runs, ` +
        "its lines in the log and the audit log stay. To come again, it needs an invitation, or to be approved."
      }
      change={() => forgetClient(client.id)}
      until={client.state}
      testId="forget"
    />
  );
}

interface DecisionProps {
  word: string;
  /** The word while the server has not answered. */
  busy: string;
  client: Client;
  /** What is lost by it, in words. */
  consequence: string;
  change: () => Promise<unknown>;
  /** The server has done it once this is another. */
  until: string;
  testId: string;
}

/** What is decided on a client after a question that says what it means. */
function Decision({ word, busy, client, consequence, change, until, testId }: DecisionProps) {
  const { taken, give } = useCommand(change, until);
  return (
    <Asked
      button={(ask) => (
        <Button variant="default" size="compact-sm" onClick={ask} disabled={taken} data-testid={testId}>
          {taken ? busy : `${word}…`}
        </Button>
      )}
      title={`${word} ${client.id}?`}
      consequence={consequence}
      keep="Keep it"
      confirm={word}
      busy={busy}
      taken={taken}
      give={give}
      testId={testId}
    />
  );
}

function Readmit({ client }: { client: Client }) {
  const { taken, give } = useCommand(() => readmitClient(client.id, null), client.membership);
  const [refusal, setRefusal] = useState<string | null>(null);
  return (
    <>
      {refusal !== null && (
        <p className={styles.refusal} role="alert">
          {refusal}
        </p>
      )}
      <Button
        variant="default"
        size="compact-sm"
        onClick={() => void give().then(setRefusal)}
        disabled={taken}
        title="it has to be started again, if it was told that it was sent away"
        data-testid="readmit"
      >
        {taken ? "Re-admitting…" : "Re-admit"}
      </Button>
    </>
  );
}
