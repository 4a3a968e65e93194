import { useMemo, useState } from "react";
import { isOver, type Run } from "../api/types";
import { appLabels } from "../runs/round-words";
import { roundsOf, useStore } from "../store/store";
import { VirtualRows } from "../ui/VirtualRows";
import styles from "./ClientTable.module.css";
import { PastClientRow } from "./PastClientRow";
import { partsOf } from "./past";
import { latestSpent } from "./spent";
import { useDelivered } from "./useDelivered";
import { useLabels } from "./useLabels";

const COLUMNS = ["client", "delivered", "data", "accuracy", "loss"] as const;
const COLUMNS_OF_PRIVATE = [...COLUMNS, "ε"] as const;

/** What clients did in one run, by its rounds: in one that is over or queued, or whose clients are no members here. */
export function PastClients({ run }: { run: Run }) {
  const rounds = useStore((state) => roundsOf(state, run));
  const parts = useMemo(() => partsOf(run, rounds), [run, rounds]);
  const delivered = useDelivered(run);
  const labels = useLabels(run);
  const spent = useMemo(() => latestSpent(rounds), [rounds]);
  const own = useMemo(() => appLabels(rounds), [rounds]);
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const spends = run.spec.dp != null;
  const columns = spends ? COLUMNS_OF_PRIVATE : COLUMNS;
  const toggle = (id: string): void => {
    const next = new Set(opened);
    if (!next.delete(id)) next.add(id);
    setOpened(next);
  };
  if (parts.length === 0)
    return (
      <p className={styles.empty} data-testid="no-past-clients">
        {noneWords(run)}
      </p>
    );
  return (
    <VirtualRows
      role="table"
      label={`clients of run ${run.id}`}
      testId="past-clients"
      count={parts.length}
      rowHeight={48}
      keyOf={(index) => parts[index]?.id ?? index}
      render={(index) => {
        const part = parts[index];
        return (
          part && (
            <PastClientRow
              part={delivered === undefined ? part : { ...part, delivered: delivered(part.id) }}
              run={run}
              labels={labels.get(part.id) ?? null}
              spent={spent.get(part.id)}
              own={own}
              columns={columns.length}
              open={opened.has(part.id)}
              toggle={() => toggle(part.id)}
            />
          )
        );
      }}
      head={
        <div className={styles.head} role="row" data-past="true" data-private={spends}>
          {columns.map((column) => (
            <span key={column} role="columnheader" data-column={column}>
              {column}
            </span>
          ))}
        </div>
      }
    />
  );
}

function noneWords({ id, state }: Run): string {
  if (isOver(state)) return `No client had a part in run ${id}.`;
  return state === "queued"
    ? `Run ${id} has no clients yet: it chooses them when it starts, after the runs before it.`
    : `Run ${id} has no clients yet.`;
}
