import type { Run } from "../api/types";
import { count, loss, percent } from "../format/format";
import type { AppLabels } from "../runs/round-words";
import { whyKept } from "../runs/privacy-words";
import { clientHovered } from "../store/store";
import { Explained } from "../ui/Explained";
import { StateMark } from "../ui/StateMark";
import { Value } from "../ui/Value";
import { More } from "./ClientCells";
import { ClientDetails } from "./ClientDetails";
import { ClientLink } from "./ClientLink";
import styles from "./ClientTable.module.css";
import { LabelStrip } from "./LabelStrip";
import { FewSamples } from "./FewSamples";
import { NOTE_MARKS } from "./marks";
import type { Part } from "./past";
import { PinButton } from "./PinButton";
import { moreWords, noteOf } from "./results";
import { SpentCell } from "./SpentCell";
import type { Spent } from "./spent";

const NEVER = "it gave no such number in this run";

interface PastClientRowProps {
  part: Part;
  run: Run;
  labels: readonly number[] | null;
  /** What it has spent of its data's privacy. */
  spent: Spent | undefined;
  /** The app's own numbers of the run's rounds. */
  own: AppLabels;
  /** Of the table. */
  columns: number;
  open: boolean;
  toggle: () => void;
}

/** What one client did in a run that is over. */
export function PastClientRow(props: PastClientRowProps) {
  const { part, run, own, columns, open } = props;
  const { latest } = part;
  const more = moreWords(latest, noteOf(latest, "idle"), false);
  return (
    <>
      <PartCells {...props} more={more} />
      {open && more !== null && latest !== undefined && (
        <ClientDetails client={null} runId={run.id} latest={latest} labels={own} columns={columns} />
      )}
    </>
  );
}

function PartCells({
  part: { id, delivered, latest },
  run,
  labels,
  spent,
  open,
  toggle,
  more,
}: PastClientRowProps & { more: string | null }) {
  const note = noteOf(latest, "idle");
  const kept = whyKept(run.spec);
  const why = kept?.own ?? NEVER;
  const spends = run.spec.dp != null;
  return (
    <div
      className={styles.row}
      role="row"
      data-past="true"
      data-private={spends}
      data-testid="past-client"
      data-client={id}
      onPointerEnter={() => clientHovered(id)}
      onPointerLeave={() => clientHovered(null)}
    >
      <div role="cell" className={styles.cell}>
        <span className={styles.first}>
          <ClientLink id={id} />
          <PinButton id={id} />
        </span>
      </div>
      <div role="cell" className={styles.cell}>
        <span>
          <Explained why="rounds in which its update counted">
            {count(delivered)} of {count(run.round)}
          </Explained>
        </span>
        {note !== null && (
          <span className={styles.note} data-testid="client-note" data-kind={note.kind}>
            <StateMark mark={NOTE_MARKS[note.kind]} />
            <Explained why={note.why}>
              {note.kind} in {count(note.round)}
            </Explained>
          </span>
        )}
      </div>
      <div role="cell" className={styles.cell} data-label="data">
        <span className={styles.number}>
          <Value text={count(latest?.result.samples)} why={kept?.samples ?? NEVER} />
        </span>
        <span className={styles.under}>
          {run.spec.app === null && (
            <LabelStrip counts={labels} classes={run.classes} kept={kept?.own ?? null} />
          )}
        </span>
      </div>
      <div role="cell" className={styles.cell} data-label="accuracy">
        <span className={styles.number} data-testid="client-accuracy">
          <FewSamples result={latest?.result} accuracy={latest?.result.accuracy ?? null} />
          <Value text={percent(latest?.result.accuracy)} why={why} />
        </span>
        <span className={styles.under}>
          {more === null && latest !== undefined && `round ${count(latest.round)}`}
          <More more={more} open={open} toggle={toggle} />
        </span>
      </div>
      <div role="cell" className={styles.cell} data-label="loss">
        <span className={styles.number}>
          <Value text={loss(latest?.result.loss)} why={why} />
        </span>
        <span className={styles.under}>
          train <Value text={loss(latest?.result.train_loss)} why={why} />
        </span>
      </div>
      {spends && <SpentCell spent={spent} />}
    </div>
  );
}
