import { useMemo, useState } from "react";
import { isOver, type Run } from "../api/types";
import { whyKept } from "../runs/privacy-words";
import { appLabels } from "../runs/round-words";
import { roundsOf, useStore } from "../store/store";
import { useParam } from "../ui/useParam";
import { VirtualRows } from "../ui/VirtualRows";
import { ClientGrid } from "./ClientGrid";
import styles from "./ClientTable.module.css";
import { HUNDREDS, MANY } from "./many";
import { NobodyInRole } from "./NobodyInRole";
import { PartLine, PartLineHead } from "./PartLine";
import { PartRow, PartRowHead } from "./PartRow";
import { ROLE_FILTERS, type RoleFilter, RoleFilters } from "./RoleFilters";
import { countRoles } from "./roles";
import { latestSpent } from "./spent";
import { useLabels } from "./useLabels";
import { type RunClient, useRunClients } from "./useRunClients";

/**
 * The clients of one run, whoever is there now: few with two lines each, many with one, hundreds as tiles. With many,
 * the counts of their roles are filters.
 */
export function RunClients({ run }: { run: Run }) {
  const all = useRunClients(run);
  const [filter, choose] = useParam("role", ROLE_FILTERS);
  if (all.length === 0)
    return (
      <p className={styles.empty} data-testid="no-run-clients">
        {noneWords(run)}
      </p>
    );
  if (all.length < MANY) return <PartRows run={run} shown={all} filter="all" />;
  const shown = filter === "all" ? all : all.filter(({ role }) => role === filter);
  return (
    <>
      <RoleFilters counts={countRoles(all.map(({ role }) => role))} whole chosen={filter} choose={choose} />
      {filter !== "all" && shown.length === 0 ? (
        <NobodyInRole role={filter} showAll={() => choose("all")} />
      ) : shown.length >= HUNDREDS ? (
        <PartGrid run={run} shown={shown} />
      ) : (
        <PartRows run={run} shown={shown} filter={filter} />
      )}
    </>
  );
}

interface ShownProps {
  run: Run;
  shown: readonly RunClient[];
}

function PartGrid({ run, shown }: ShownProps) {
  const tiles = useMemo(
    () =>
      shown.map(({ id, role, client, evaluated }) => ({
        id,
        role,
        lateSince: client?.late_since ?? null,
        accuracy: evaluated?.result.accuracy ?? null,
      })),
    [shown],
  );
  return <ClientGrid tiles={tiles} kept={whyKept(run.spec)} />;
}

function PartRows({ run, shown, filter }: ShownProps & { filter: RoleFilter }) {
  const rounds = useStore((state) => roundsOf(state, run));
  const labels = useLabels(run);
  const spends = run.spec.dp != null;
  const spent = useMemo(() => latestSpent(spends ? rounds : []), [spends, rounds]);
  const own = useMemo(() => appLabels(rounds), [rounds]);
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const toggle = (id: string): void => {
    const next = new Set(opened);
    if (!next.delete(id)) next.add(id);
    setOpened(next);
  };
  const oneLine = shown.length >= MANY;
  const Row = oneLine ? PartLine : PartRow;
  const Head = oneLine ? PartLineHead : PartRowHead;
  return (
    <VirtualRows
      key={String(oneLine)}
      role="table"
      label={`clients of run ${run.id}`}
      testId="run-clients"
      count={shown.length}
      rowHeight={oneLine ? 24 : 48}
      keyOf={(index) => shown[index]?.id ?? index}
      wanted={filter}
      render={(index) => {
        const part = shown[index];
        return (
          part && (
            <Row
              part={part}
              run={run}
              labels={labels.get(part.id) ?? null}
              spent={spent.get(part.id)}
              own={own}
              open={opened.has(part.id)}
              toggle={() => toggle(part.id)}
            />
          )
        );
      }}
      head={<Head spends={spends} />}
    />
  );
}

function noneWords({ id, state }: Run): string {
  if (isOver(state)) return `No client had a part in run ${id}.`;
  return state === "queued"
    ? `Run ${id} has no clients yet: it chooses them when it starts, after the runs before it.`
    : `Run ${id} has no clients yet.`;
}
