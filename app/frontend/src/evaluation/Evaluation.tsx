import { useMemo } from "react";
import type { Client, Round, Run } from "../api/types";
import { ClientName } from "../clients/ClientName";
import { classesFor } from "../clients/results";
import { shownRounds, shownRun, useStore } from "../store/store";
import styles from "./Evaluation.module.css";
import { MatrixTable } from "./MatrixTable";
import { classNames, confusionRows, labelRows } from "./tables";
import { useEvaluatedRound } from "./useEvaluatedRound";
import { noClassesWords, noLabelsWords } from "./words";

export type EvaluationView = "classes" | "labels";

/** How the shown run's model does by class, and what each client has of each class beside how it does. */
export default function Evaluation({ view }: { view: EvaluationView }) {
  const run = useStore(shownRun);
  const { round } = useEvaluatedRound();
  return view === "classes" ? <Classes run={run} round={round} /> : <Labels run={run} round={round} />;
}

function Classes({ run, round }: { run: Run | null; round: Round | null }) {
  if (run === null || round?.confusion == null) return <p className={styles.empty}>{noClassesWords(run)}</p>;
  const names = classNames(run.classes, round.confusion.length);
  return (
    <MatrixTable
      caption={`Test set in round ${round.round}: samples of each class, by the class that the global model took them for`}
      corner="is ↓ taken for →"
      columns={names}
      rows={confusionRows(round, names)}
      head={(row) => row.id}
      testId="confusion"
    />
  );
}

function Labels({ run, round }: { run: Run | null; round: Round | null }) {
  const clients = useStore((state) => state.server.clients);
  const newest = useStore((state) => shownRounds(state).findLast(({ complete }) => complete));
  const members = useMemo(() => membersOf(run, clients), [run, clients]);
  const names = classNames(
    members.map((client) => classesFor(client, run)).find((classes) => classes.length > 0) ?? [],
    Math.max(0, ...members.map(({ label_counts }) => label_counts?.length ?? 0)),
  );
  if (members.length === 0 || names.length === 0) return <p className={styles.empty}>{noLabelsWords(run)}</p>;
  const at = round ?? newest;
  return (
    <MatrixTable
      caption={`Training samples of each client by label, as it last reported them, and its accuracy${at === undefined ? "" : ` in round ${at.round}`}`}
      corner="client"
      columns={names}
      rows={labelRows(members, at, names)}
      head={(row) => <ClientName id={row.id} />}
      testId="labels"
    />
  );
}

/** Those that take part in the run; before it has chosen, all that could. */
function membersOf(run: Run | null, clients: readonly Client[]): Client[] {
  if (run?.spec.app !== null) return [];
  return clients.filter((client) =>
    run.clients.length > 0
      ? run.clients.includes(client.id)
      : client.state !== "lost" && client.dataset === run.spec.dataset,
  );
}
