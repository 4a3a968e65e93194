import { activeRun, useStore } from "../store/store";
import { ClientRow } from "./ClientRow";
import styles from "./ClientTable.module.css";
import { CopyCommand } from "./CopyCommand";
import { Panel } from "./Panel";
import { joinCommand } from "./run-words";
import { VirtualRows } from "./VirtualRows";

const COLUMNS = ["client", "work", "data", "accuracy", "loss", "device"] as const;

export function ClientTable() {
  const clients = useStore((state) => state.server.clients);
  const join = useStore((state) => joinCommand(state.server.status?.join_command, activeRun(state)));
  const lost = clients.filter((client) => client.state === "lost").length;
  return (
    <Panel
      title="clients"
      area="clients"
      beside={
        <span className="dim small" data-testid="client-count">
          {clients.length - lost} connected{lost > 0 && `, ${lost} lost`}
        </span>
      }
    >
      {clients.length === 0 ? (
        join !== undefined && (
          <div className={styles.empty} data-testid="no-clients">
            <p>No client is connected. Start one in a terminal, here or on another machine:</p>
            <CopyCommand command={join} />
            <p className="dim">Each further client needs an id of its own: client-2, client-3.</p>
          </div>
        )
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
            return client && <ClientRow client={client} />;
          }}
          head={
            <div className={styles.head} role="row">
              {COLUMNS.map((column) => (
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
