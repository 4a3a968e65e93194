import { Button, Modal } from "@mantine/core";
import { useState } from "react";
import { readmitClient, revokeClient } from "../api/requests";
import type { Client } from "../api/types";
import { useCommand } from "../runs/useCommand";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import dialog from "../ui/Dialog.module.css";
import { Ago, Value } from "../ui/Value";
import { shortKey } from "./applicants";
import styles from "./Enrolment.module.css";

const MEMBERSHIPS: Record<Client["membership"], string> = {
  admitted: "admitted",
  pending: "waits to be let in",
  rejected: "rejected: its key is not let in",
  revoked: "revoked: its key is not let in any more",
};

/** Who a client is, by its key, and whether it may be here. */
export function ClientDialog({ client, close }: { client: Client; close: () => void }) {
  return (
    <Modal
      opened
      onClose={close}
      title={client.id}
      classNames={{ title: dialog.title ?? "" }}
      closeButtonProps={{ "aria-label": "Close" }}
      centered
    >
      <dl className={styles.facts} data-testid="client-facts">
        <dt className="dim">key</dt>
        <dd className={`${styles.key} mono`}>
          <Value text={client.key ?? "–"} why="it was here before clients had keys" />
        </dd>
        <dt className="dim">compare</dt>
        <dd className="mono">
          {client.key === null ? <Value text="–" why="it has no key" /> : shortKey(client.key)}
        </dd>
        <dt className="dim">membership</dt>
        <dd>{client.ephemeral ? "admitted until it leaves" : MEMBERSHIPS[client.membership]}</dd>
        <dt className="dim">seen</dt>
        <dd>
          <Ago time={client.last_seen} /> on {client.host === "" ? "an unknown machine" : client.host}
        </dd>
      </dl>
      <div className={dialog.buttons}>
        {client.membership === "admitted" && client.key !== null && <Revoke client={client} />}
        {(client.membership === "revoked" || client.membership === "rejected") && <Readmit client={client} />}
      </div>
    </Modal>
  );
}

function Revoke({ client }: { client: Client }) {
  const [asking, setAsking] = useState(false);
  const { taken, give } = useCommand(() => revokeClient(client.id), client.membership);
  return (
    <>
      <Button color="bad" onClick={() => setAsking(true)} disabled={taken} data-testid="revoke">
        {taken ? "Revoking…" : "Revoke…"}
      </Button>
      <ConfirmDialog
        opened={asking}
        close={() => setAsking(false)}
        title={`Revoke ${client.id}?`}
        consequence={
          client.state === "lost"
            ? "It cannot join any more, with an invitation neither, until you re-admit it."
            : "It is cut off at once. What it works on is lost, and the run goes on without it. It cannot join any more, with an invitation neither, until you re-admit it."
        }
        keep="Keep it"
        confirm="Revoke"
        busy="Revoking…"
        taken={taken}
        give={give}
        testId="revoke"
      />
    </>
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
