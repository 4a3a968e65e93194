import type { ReactNode } from "react";
import type { Run } from "../api/types";
import type { AppLabels } from "../runs/round-words";
import { clientHovered } from "../store/store";
import { ClientDetails } from "./ClientDetails";
import { moreWords, type Note, noteOf } from "./results";
import type { Spent } from "./spent";
import type { RunClient } from "./useRunClients";

export interface PartRowProps {
  part: RunClient;
  run: Run;
  /** Its training samples by label; null: not known. */
  labels: readonly number[] | null;
  /** What it has spent of its data's privacy. */
  spent: Spent | undefined;
  /** The app's own numbers of the run's rounds. */
  own: AppLabels;
  open: boolean;
  toggle: () => void;
}

/** What went wrong with its newest part, and what of it has no column: each null where there is nothing. */
export function saidOf({ latest, client }: RunClient): { note: Note | null; more: string | null } {
  const note = noteOf(latest, client?.state ?? "idle");
  return { note, more: moreWords(latest, note, client?.verdict != null) };
}

interface PartFrameProps {
  row: PartRowProps;
  className: string | undefined;
  /** Of the table. */
  columns: number;
  /** Its cells. */
  children: ReactNode;
}

/** A row of what one client did in a run, and below it, when that is open, what has no column. */
export function PartFrame({ row: { part, run, own, open }, className, columns, children }: PartFrameProps) {
  const { id, role, client, latest } = part;
  return (
    <>
      <div
        className={className}
        role="row"
        data-part="true"
        data-private={run.spec.dp != null}
        data-testid="run-client"
        data-client={id}
        data-role={role}
        onPointerEnter={() => clientHovered(id)}
        onPointerLeave={() => clientHovered(null)}
      >
        {children}
      </div>
      {open && latest !== undefined && saidOf(part).more !== null && (
        <ClientDetails
          client={client ?? null}
          runId={run.id}
          latest={latest}
          labels={own}
          columns={columns}
        />
      )}
    </>
  );
}
