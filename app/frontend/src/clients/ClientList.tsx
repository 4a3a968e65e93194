import { useMemo, useState } from "react";
import type { Run } from "../api/types";
import { appLabels } from "../runs/round-words";
import { whyKept } from "../runs/privacy-words";
import { clientsRun, roundsOf, useStore } from "../store/store";
import { VirtualRows } from "../ui/VirtualRows";
import { ClientGrid, type ClientTile } from "./ClientGrid";
import { ClientLine, LineHead } from "./ClientLine";
import { ClientRow } from "./ClientRow";
import styles from "./ClientTable.module.css";
import { HUNDREDS, MANY } from "./many";
import { NobodyInRole } from "./NobodyInRole";
import type { Listed } from "./order";
import { classesFor, latestResults } from "./results";
import type { RoleFilter } from "./RoleFilters";
import { roundInProgress } from "./roles";
import { latestSpent } from "./spent";

const COLUMNS = ["client", "work", "data", "accuracy", "loss", "device"] as const;
const COLUMNS_OF_PRIVATE = ["client", "work", "data", "accuracy", "loss", "ε", "device"] as const;

interface ClientListProps {
  /** Whose numbers the clients show. */
  run: Run | null;
  listed: readonly Listed[];
  filter: RoleFilter;
  showAll: () => void;
}

/** The clients: few with two lines each, many with one, hundreds as tiles. */
export function ClientList({ run, listed, filter, showAll }: ClientListProps) {
  const shown = filter === "all" ? listed : listed.filter(({ role }) => role === filter);
  if (filter !== "all" && shown.length === 0) return <NobodyInRole role={filter} showAll={showAll} />;
  if (shown.length >= HUNDREDS) return <ClientGrid tiles={shown.map(tileOf)} kept={whyKept(run?.spec)} />;
  return <ClientRows run={run} shown={shown} filter={filter} />;
}

function tileOf({ client: { id, late_since, accuracy }, role }: Listed): ClientTile {
  return { id, role, lateSince: late_since, accuracy };
}

interface ClientRowsProps {
  run: Run | null;
  shown: readonly Listed[];
  filter: RoleFilter;
}

function ClientRows({ run, shown, filter }: ClientRowsProps) {
  const rounds = useStore((state) => roundsOf(state, clientsRun(state)));
  const latest = useMemo(() => latestResults(rounds), [rounds]);
  const labels = useMemo(() => appLabels(rounds), [rounds]);
  const parts = roundInProgress(run, rounds)?.per_client;
  const kept = whyKept(run?.spec);
  const spends = run?.spec.dp != null;
  const spent = useMemo(() => latestSpent(spends ? rounds : []), [spends, rounds]);
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const oneLine = shown.length >= MANY;
  const Row = oneLine ? ClientLine : ClientRow;
  const toggle = (id: string): void => {
    const next = new Set(opened);
    if (!next.delete(id)) next.add(id);
    setOpened(next);
  };
  return (
    <VirtualRows
      key={String(oneLine)}
      role="table"
      label="clients"
      testId="clients"
      count={shown.length}
      rowHeight={oneLine ? 24 : 48}
      keyOf={(index) => shown[index]?.client.id ?? index}
      wanted={filter}
      render={(index) => {
        const each = shown[index];
        return (
          each && (
            <Row
              client={each.client}
              role={each.role}
              runId={run?.id ?? null}
              delivered={parts?.[each.client.id]?.train_s ?? null}
              latest={latest.get(each.client.id)}
              spent={spent.get(each.client.id)}
              classes={classesFor(each.client, run)}
              labels={labels}
              kept={kept}
              spends={spends}
              paused={run?.state === "paused"}
              open={opened.has(each.client.id)}
              toggle={() => toggle(each.client.id)}
            />
          )
        );
      }}
      head={oneLine ? <LineHead /> : <RowHead spends={spends} />}
    />
  );
}

function RowHead({ spends }: { spends: boolean }) {
  return (
    <div className={styles.head} role="row" data-private={spends}>
      {(spends ? COLUMNS_OF_PRIVATE : COLUMNS).map((column) => (
        <span key={column} role="columnheader" data-column={column}>
          {column}
        </span>
      ))}
    </div>
  );
}
