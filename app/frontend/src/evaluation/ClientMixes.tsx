import { useMemo } from "react";
import type { Client, Round, Run } from "../api/types";
import { ClientLink } from "../clients/ClientLink";
import type { Part } from "../clients/parts";
import { NO_LABELS } from "../clients/results";
import { useLabels } from "../clients/useLabels";
import { useParts } from "../clients/useParts";
import { NO_DATA } from "../format/format";
import { whyKept } from "../runs/privacy-words";
import { KeptNote } from "../runs/KeptNote";
import { shownRounds, useStore } from "../store/store";
import { Choice } from "../ui/Choice";
import { Explained } from "../ui/Explained";
import { StateMark } from "../ui/StateMark";
import { useParam } from "../ui/useParam";
import { Value } from "../ui/Value";
import styles from "./Evaluation.module.css";
import { distanceTitle } from "./mix";
import { MatrixTable } from "./MatrixTable";
import {
  CELLS,
  classNames,
  type ClientLabels,
  inOrder,
  isUnusual,
  labelRows,
  ORDERS,
  unusualWords,
} from "./tables";
import { noLabelsWords } from "./words";

/** In a private run, below the reason. */
const UNKNOWN = "So nobody here knows whose labels are unusual.";

/** What each client of the shown run has of each label, and which has unusual data, beside how well it does. */
export function ClientMixes({ run, round }: { run: Run | null; round: Round | null }) {
  const clients = useStore((state) => state.server.clients);
  const rounds = useStore(shownRounds);
  const labels = useLabels(run);
  const [cells, showCells] = useParam("cells", CELLS);
  const [order, putInOrder] = useParam("order", ORDERS);
  const parts = useParts(run);
  const members = useMemo(() => membersOf(run, clients, parts), [run, clients, parts]);
  const kept = whyKept(run?.spec)?.own ?? null;
  const at = round ?? rounds.findLast(({ complete }) => complete);
  const most = Math.max(0, ...members.map((id) => labels.get(id)?.length ?? 0));
  const names = useMemo(() => classNames(run?.classes ?? [], most), [run?.classes, most]);
  const rows = useMemo(
    () => inOrder(labelRows(members, labels, at, names, cells, kept), order),
    [members, labels, at, names, cells, order, kept],
  );
  if (rows.length === 0 || names.length === 0) return <p className={styles.empty}>{noLabelsWords(run)}</p>;
  return (
    <>
      <KeptNote run={run} />
      <div className={styles.mixes}>
        <p data-testid="unusual">{unusualWords(rows) ?? (kept === null ? `no ${NO_LABELS}` : UNKNOWN)}</p>
        <Choice label="cells" options={CELLS} chosen={cells} change={showCells} testId="cells" />
        <Choice
          label="order of the clients"
          options={ORDERS}
          chosen={order}
          change={putInOrder}
          testId="order"
        />
      </div>
      <MatrixTable
        caption={`Training samples of each client by label, as it reported them in this run, and its accuracy${at === undefined ? "" : ` in round ${at.round}`}`}
        corner="client"
        columns={names}
        rows={rows}
        head={(row) => <ClientLink id={row.id} />}
        note={{ title: "mix of labels", of: (row) => <MixNote row={row} /> }}
        testId="labels"
      />
    </>
  );
}

function MixNote({ row }: { row: ClientLabels }) {
  if (row.mix === null || row.far === null) return <Value text={NO_DATA} why={row.missing} />;
  const unusual = isUnusual(row);
  return (
    <span className={styles.mix} data-unusual={unusual}>
      <StateMark mark={unusual ? ["diamond", "warn"] : ["ring", "quiet"]} />
      <span className={unusual ? undefined : "dim"}>
        <Explained why={distanceTitle(row.far)}>{row.mix}</Explained>
      </span>
    </span>
  );
}

/** Those that took part in the run; before it has chosen, all that could. */
function membersOf(run: Run | null, clients: readonly Client[], parts: readonly Part[]): string[] {
  if (run?.spec.app !== null) return [];
  if (parts.length > 0) return parts.map(({ id }) => id);
  return clients
    .filter(({ state, dataset }) => state !== "lost" && dataset === run.spec.dataset)
    .map(({ id }) => id);
}
