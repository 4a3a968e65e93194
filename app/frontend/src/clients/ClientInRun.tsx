import { useMemo } from "react";
import { Link } from "wouter";
import type { Run } from "../api/types";
import { distance, distanceTitle, mostly, NOTABLE, wholeOf } from "../evaluation/mix";
import { count, loss, NO_DATA, percent } from "../format/format";
import { keptWords, whyKept } from "../runs/privacy-words";
import { shownCompleteRounds, useStore } from "../store/store";
import { Explained } from "../ui/Explained";
import { Value } from "../ui/Value";
import styles from "./ClientPage.module.css";
import { FewSamples } from "./FewSamples";
import { LabelStrip } from "./LabelStrip";
import { latestSpent, spentTitle, spentWords } from "./spent";
import { useLabels } from "./useLabels";
import { useParts } from "./useParts";

const NOT_YET = "it has not told any in this run";

/** Its part in the shown run, from the run's rounds alone. */
export function ClientInRun({ id, run }: { id: string; run: Run }) {
  const rounds = useStore(shownCompleteRounds);
  const part = useParts(run).find((each) => each.id === id);
  const spent = useMemo(() => latestSpent(rounds).get(id), [rounds, id]);
  const trained = part?.trained?.result;
  const evaluated = part?.evaluated?.result;
  const kept = whyKept(run.spec);
  const why = kept?.own ?? NOT_YET;
  const told = evaluated ?? part?.latest?.result;
  const words = keptWords(run.spec, told === undefined ? [] : [told]);
  return (
    <dl className={styles.list} data-testid="client-in-run">
      <dt className="dim">run</dt>
      <dd>
        <Link href={`/runs/${run.id}/curves`} className="mono">
          {run.id}
        </Link>
        {part === undefined ? (
          <span className="dim">: it takes no part</span>
        ) : (
          `: its update counted in ${count(part.delivered)} of ${count(run.round)} rounds`
        )}
      </dd>
      <dt className="dim">accuracy</dt>
      <dd>
        <FewSamples result={evaluated} accuracy={evaluated?.accuracy ?? null} />
        <Value text={percent(evaluated?.accuracy)} why={why} /> on its own data, loss{" "}
        <Value text={loss(evaluated?.loss)} why={why} />
      </dd>
      <dt className="dim">data</dt>
      <dd>
        <Value text={count(trained?.samples)} why={kept?.samples ?? NOT_YET} /> samples
        {run.spec.app === null && (
          <>
            {" "}
            of {run.spec.dataset} <Labels id={id} run={run} />
          </>
        )}
      </dd>
      {words !== null && (
        <>
          <dt className="dim">not told</dt>
          <dd data-testid="client-kept">{words}</dd>
        </>
      )}
      {run.spec.dp !== null && (
        <>
          <dt className="dim">privacy</dt>
          <dd>
            ε{" "}
            {spent === undefined ? (
              <Value text={NO_DATA} why="known after its first training" />
            ) : (
              <Explained why={spentTitle(spent)}>{spentWords(spent)}</Explained>
            )}
          </dd>
        </>
      )}
    </dl>
  );
}

/** How its samples are spread over the labels, and whether that is unusual. */
function Labels({ id, run }: { id: string; run: Run }) {
  const labels = useLabels(run);
  const own = labels.get(id) ?? null;
  const far = useMemo(
    () => (own === null ? null : distance(own, wholeOf([...labels.values()]))),
    [own, labels],
  );
  return (
    <span className={styles.labels}>
      <LabelStrip counts={own} classes={run.classes} kept={whyKept(run.spec)?.own ?? null} />
      {own !== null && far !== null && (
        <span data-testid="client-mix">
          <Explained why={distanceTitle(far)}>
            {far < NOTABLE ? "mixed like the whole" : `unusual: ${mostly(own, run.classes)}`}
          </Explained>
        </span>
      )}
    </span>
  );
}
