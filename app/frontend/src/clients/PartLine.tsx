import { count, epsilon, loss, percent } from "../format/format";
import { whyKept } from "../runs/privacy-words";
import { Explained } from "../ui/Explained";
import { Value } from "../ui/Value";
import { More } from "./ClientCells";
import { ClientLink } from "./ClientLink";
import styles from "./ClientLine.module.css";
import { FewSamples } from "./FewSamples";
import { PartFrame, type PartRowProps, saidOf } from "./PartFrame";
import { NEVER } from "./PartRow";
import { PartState } from "./PartState";
import { PinButton } from "./PinButton";
import { spentTitle } from "./spent";

/** What one client did in a run, in one line: for many clients. */
export function PartLine(props: PartRowProps) {
  const { part, run, spent, open, toggle } = props;
  const { id, delivered, trained, evaluated } = part;
  const kept = whyKept(run.spec);
  const why = kept?.own ?? NEVER;
  const spends = run.spec.dp != null;
  return (
    <PartFrame row={props} className={styles.part} columns={spends ? 8 : 7}>
      <div role="cell" className={styles.cell}>
        <ClientLink id={id} />
        <PinButton id={id} />
      </div>
      <div role="cell" className={styles.cell}>
        <PartState part={part} />
      </div>
      <div role="cell" className={styles.number} data-column="delivered">
        <Explained why="rounds in which its update counted" look="plain">
          {count(delivered)} of {count(run.round)}
        </Explained>
      </div>
      <div role="cell" className={styles.number} data-column="samples">
        <Value text={count(trained?.result.samples)} why={kept?.samples ?? NEVER} />
      </div>
      <div role="cell" className={styles.number} data-testid="client-accuracy">
        <FewSamples result={evaluated?.result} accuracy={evaluated?.result.accuracy ?? null} />
        <Value text={percent(evaluated?.result.accuracy)} why={why} />
      </div>
      <div role="cell" className={styles.number} data-column="loss">
        <Value text={loss(evaluated?.result.loss)} why={why} />
      </div>
      {spends && (
        <div role="cell" className={styles.number} data-column="ε" data-testid="client-epsilon">
          <Value
            text={epsilon(spent?.epsilon)}
            why="known after its first training in this run"
            about={spent && spentTitle(spent)}
          />
        </div>
      )}
      <div role="cell" className={styles.more}>
        <More more={saidOf(part).more} open={open} toggle={toggle} />
      </div>
    </PartFrame>
  );
}

const COLUMNS = ["client", "role", "delivered", "samples", "accuracy", "loss"] as const;

/** The heads of its columns. */
export function PartLineHead({ spends }: { spends: boolean }) {
  return (
    <div className={`${styles.part} ${styles.head}`} role="row" data-private={spends}>
      {[...COLUMNS, ...(spends ? ["ε"] : [])].map((column) => (
        <span key={column} role="columnheader" data-column={column}>
          {column}
        </span>
      ))}
      <span role="columnheader" data-column="more">
        <span className="hidden-visually">more</span>
      </span>
    </div>
  );
}
