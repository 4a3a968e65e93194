import { count, loss, percent } from "../format/format";
import { whyKept } from "../runs/privacy-words";
import { Explained } from "../ui/Explained";
import { StateMark } from "../ui/StateMark";
import { Value } from "../ui/Value";
import { More } from "./ClientCells";
import { ClientLink } from "./ClientLink";
import styles from "./ClientTable.module.css";
import { FewSamples } from "./FewSamples";
import { LabelStrip } from "./LabelStrip";
import { NOTE_MARKS } from "./marks";
import { PartFrame, type PartRowProps, saidOf } from "./PartFrame";
import { PartState } from "./PartState";
import { PinButton } from "./PinButton";
import { SpentCell } from "./SpentCell";

/** Why a number of its own is missing. */
export const NEVER = "it gave no such number in this run";

/** What one client did in a run, in two lines. */
export function PartRow(props: PartRowProps) {
  const { part, run, labels, spent, open, toggle } = props;
  const { id, delivered, trained, evaluated } = part;
  const { note, more } = saidOf(part);
  const kept = whyKept(run.spec);
  const why = kept?.own ?? NEVER;
  const spends = run.spec.dp != null;
  return (
    <PartFrame row={props} className={styles.row} columns={spends ? 6 : 5}>
      <div role="cell" className={styles.cell}>
        <span className={styles.first}>
          <ClientLink id={id} />
          <PinButton id={id} />
        </span>
        <PartState part={part} />
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
          <Value text={count(trained?.result.samples)} why={kept?.samples ?? NEVER} />
        </span>
        <span className={styles.under}>
          {run.spec.app === null && (
            <LabelStrip counts={labels} classes={run.classes} kept={kept?.own ?? null} />
          )}
        </span>
      </div>
      <div role="cell" className={styles.cell} data-label="accuracy">
        <span className={styles.number} data-testid="client-accuracy">
          <FewSamples result={evaluated?.result} accuracy={evaluated?.result.accuracy ?? null} />
          <Value text={percent(evaluated?.result.accuracy)} why={why} />
        </span>
        <span className={styles.under}>
          {more === null && evaluated !== undefined && `round ${count(evaluated.round)}`}
          <More more={more} open={open} toggle={toggle} />
        </span>
      </div>
      <div role="cell" className={styles.cell} data-label="loss">
        <span className={styles.number}>
          <Value text={loss(evaluated?.result.loss)} why={why} />
        </span>
        <span className={styles.under}>
          train <Value text={loss(trained?.result.train_loss)} why={why} />
        </span>
      </div>
      {spends && <SpentCell spent={spent} />}
    </PartFrame>
  );
}

const COLUMNS = ["client", "delivered", "data", "accuracy", "loss"] as const;

/** The heads of its columns. */
export function PartRowHead({ spends }: { spends: boolean }) {
  return (
    <div className={styles.head} role="row" data-part="true" data-private={spends}>
      {[...COLUMNS, ...(spends ? ["ε"] : [])].map((column) => (
        <span key={column} role="columnheader" data-column={column}>
          {column}
        </span>
      ))}
    </div>
  );
}
