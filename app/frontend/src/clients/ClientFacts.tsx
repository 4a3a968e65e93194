import { Link } from "wouter";
import type { Client, Run } from "../api/types";
import { ClientKey } from "../enrolment/ClientKey";
import { bytes } from "../format/format";
import { roundsOf, shownRun, useStore } from "../store/store";
import { CopyCommand } from "../ui/CopyCommand";
import { Explained } from "../ui/Explained";
import { Panel } from "../ui/Panel";
import { Ago } from "../ui/Value";
import { carried } from "./all";
import { ClientInRun } from "./ClientInRun";
import styles from "./ClientPage.module.css";
import { ClientVerdicts } from "./ClientVerdicts";
import { restartCommand } from "./restart";
import { roleOf, roundInProgress } from "./roles";
import { RoleState } from "./RoleState";
import { useJoinCommand } from "./useJoinCommand";
import { countsWords, judged } from "./verdicts";

/** What a client is, has and has done in the shown run, what was decided of its replies, and who it is. */
export function ClientFacts({ id }: { id: string }) {
  const client = useStore((state) => state.server.clients.find((each) => each.id === id));
  const run = useStore(shownRun);
  return (
    <Panel
      title={id}
      area="client"
      beside={client === undefined ? null : <State client={client} run={run} />}
      actions={<Link href="/clients">all clients</Link>}
    >
      <div
        className={styles.facts}
        tabIndex={0}
        role="region"
        aria-label={`about ${id}`}
        data-testid="client-facts"
      >
        {run !== null && <ClientInRun id={id} run={run} />}
        {client === undefined ? (
          <p className="dim" data-testid="client-gone">
            The server has forgotten it, since it was only here for a while, or by an administrator&apos;s
            word; its part in this run stays.
          </p>
        ) : (
          <>
            <Machine client={client} />
            <ClientKey client={client} />
            <StartAgain client={client} />
            {run !== null && client.verdict !== null && (
              <ClientVerdicts runId={run.id} clientId={id} version={judged(client)} />
            )}
          </>
        )}
      </div>
    </Panel>
  );
}

function State({ client, run }: { client: Client; run: Run | null }) {
  const part = useStore((state) => roundInProgress(run, roundsOf(state, run))?.per_client[client.id]);
  return <RoleState client={client} role={roleOf(client, part)} delivered={part?.train_s ?? null} />;
}

function Machine({ client }: { client: Client }) {
  return (
    <dl className={styles.list}>
      <dt className="dim">machine</dt>
      <dd>
        {client.device} on {client.host === "" ? "an unknown machine" : client.host},{" "}
        <Ago time={client.last_seen} prefix="seen " />
      </dd>
      {client.reason !== null && (
        <>
          <dt className="dim">takes no part</dt>
          <dd data-testid="client-reason">{client.reason}</dd>
        </>
      )}
      {client.verdict !== null && (
        <>
          <dt className="dim">replies</dt>
          <dd data-testid="client-replies">{countsWords(client)}</dd>
        </>
      )}
      {carried(client.bytes_received) !== null && (
        <>
          <dt className="dim">link</dt>
          <dd data-testid="client-bytes">
            <Explained why="frames of the link, before encryption, as of its newest reply">
              {bytes(client.bytes_received)} came from it and {bytes(client.bytes_sent)} went to it since the
              server was started
            </Explained>
          </dd>
        </>
      )}
    </dl>
  );
}

/** Of one that is gone, and of one that is to be started anew. */
function StartAgain({ client }: { client: Client }) {
  const join = useJoinCommand();
  if (join === undefined) return null;
  return (
    <div>
      <p className="dim">
        {client.state === "lost" ? "It is gone. To start it again:" : "To start it again, should it go:"}
      </p>
      <CopyCommand command={restartCommand(join, client)} testId="client-restart" />
    </div>
  );
}
