import { Button } from "@mantine/core";
import { lazy, Suspense, useMemo, useState } from "react";
import type { Client } from "../api/types";
import { joined } from "../enrolment/applicants";
import { Waiting } from "../enrolment/Waiting";
import { loadInviteDialog } from "../enrolment/load";
import { appLabels } from "../runs/round-words";
import { isPrivate } from "../runs/spec-words";
import { clientsRun, roundsOf, useStore } from "../store/store";
import { CopyCommand } from "../ui/CopyCommand";
import { Panel } from "../ui/Panel";
import { VirtualRows } from "../ui/VirtualRows";
import { ClientRow } from "./ClientRow";
import styles from "./ClientTable.module.css";
import { presentFirst } from "./order";
import { classesFor, latestResults } from "./results";
import { latestSpent } from "./spent";
import { useJoinCommand } from "./useJoinCommand";

const InviteDialog = lazy(loadInviteDialog);

const COLUMNS = ["client", "work", "data", "accuracy", "loss", "device"] as const;
const COLUMNS_OF_PRIVATE = ["client", "work", "data", "accuracy", "loss", "ε", "device"] as const;

export function ClientTable() {
  const byId = useStore((state) => state.server.clients);
  const clients = useMemo(() => presentFirst(joined(byId)), [byId]);
  // Mounted from its first opening on, as it is loaded then.
  const [inviting, setInviting] = useState<"never" | "open" | "closed">("never");
  const run = useStore(clientsRun);
  const rounds = useStore((state) => roundsOf(state, clientsRun(state)));
  const latest = useMemo(() => latestResults(rounds), [rounds]);
  const spent = useMemo(() => latestSpent(rounds), [rounds]);
  const labels = useMemo(() => appLabels(rounds), [rounds]);
  const keepsNumbers = isPrivate(run?.spec);
  const spends = run?.spec.dp != null;
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());

  const toggle = (id: string): void => {
    const next = new Set(opened);
    if (!next.delete(id)) next.add(id);
    setOpened(next);
  };
  return (
    <Panel
      title="clients"
      area="clients"
      beside={
        <span className="dim small" data-testid="client-count">
          {countWords(clients)}
        </span>
      }
      actions={
        <Button variant="default" size="compact-sm" onClick={() => setInviting("open")} data-testid="invite">
          Invite…
        </Button>
      }
    >
      {inviting !== "never" && (
        <Suspense fallback={null}>
          <InviteDialog opened={inviting === "open"} onClose={() => setInviting("closed")} />
        </Suspense>
      )}
      <Waiting />
      {clients.length === 0 ? (
        <NoClients />
      ) : (
        <VirtualRows
          role="table"
          label="clients"
          testId="clients"
          count={clients.length}
          rowHeight={48}
          keyOf={(index) => clients[index]?.id ?? index}
          render={(index) => {
            const client = clients[index];
            return (
              client && (
                <ClientRow
                  client={client}
                  runId={run?.id ?? null}
                  latest={latest.get(client.id)}
                  spent={spent.get(client.id)}
                  classes={classesFor(client, run)}
                  labels={labels}
                  keepsNumbers={keepsNumbers}
                  spends={spends}
                  paused={run?.state === "paused"}
                  open={opened.has(client.id)}
                  toggle={() => toggle(client.id)}
                />
              )
            );
          }}
          head={
            <div className={styles.head} role="row" data-private={spends}>
              {(spends ? COLUMNS_OF_PRIVATE : COLUMNS).map((column) => (
                <span key={column} role="columnheader" data-column={column}>
                  {column}
                </span>
              ))}
            </div>
          }
        />
      )}
    </Panel>
  );
}

/** "3 connected, 1 late, 1 lost" */
function countWords(clients: readonly Client[]): string {
  const among = (state: Client["state"]): number => clients.filter((client) => client.state === state).length;
  const [late, away] = [among("late"), among("lost")];
  const lost = clients.filter((client) => client.state === "lost" && client.membership === "admitted").length;
  return [
    `${clients.length - away} connected`,
    ...(late > 0 ? [`${late} late`] : []),
    ...(lost > 0 ? [`${lost} lost`] : []),
  ].join(", ");
}

function NoClients() {
  const join = useJoinCommand();
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
