import type { ReactNode } from "react";
import { clientHovered } from "../store/store";
import { ClientDetails } from "./ClientDetails";
import type { ClientRowProps } from "./ClientRow";

interface ClientFrameProps {
  row: ClientRowProps;
  className: string | undefined;
  /** What of the client has no column, in a word; null: nothing. */
  more: string | null;
  /** Of the table. */
  columns: number;
  /** Its cells. */
  children: ReactNode;
}

/** A client's row in a table, and below it, when that is open, what has no column. */
export function ClientFrame({ row, className, more, columns, children }: ClientFrameProps) {
  const { client, role, runId, latest, labels, spends, open } = row;
  return (
    <>
      <div
        className={className}
        role="row"
        data-testid="client-row"
        data-client={client.id}
        data-state={client.state}
        data-role={role}
        data-private={spends}
        onPointerEnter={() => clientHovered(client.id)}
        onPointerLeave={() => clientHovered(null)}
      >
        {children}
      </div>
      {open && more !== null && latest !== undefined && runId !== null && (
        <ClientDetails client={client} runId={runId} latest={latest} labels={labels} columns={columns} />
      )}
    </>
  );
}
