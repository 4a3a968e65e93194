import { useComputedColorScheme } from "@mantine/core";
import { Link } from "wouter";
import type { ComparedRun } from "../../api/types";
import { lineStyle } from "../../clients/colours";
import { bytes, count, duration, epsilon, loss, percent } from "../../format/format";
import { Explained } from "../../ui/Explained";
import { StateMark } from "../../ui/StateMark";
import { Value } from "../../ui/Value";
import { RUN_MARKS } from "../marks";
import styles from "./compare.module.css";
import { nameOf } from "./curves";
import { differenceWords, reachedWords } from "./words";

interface OutcomeTableProps {
  runs: readonly ComparedRun[];
  baseline: string;
  choose: (baseline: string) => void;
  remove: (id: string) => void;
}

const NOT_EVALUATED = "no round has an accuracy";

/** What came of each run, and how far it is from the baseline. */
export function OutcomeTable({ runs, baseline, choose, remove }: OutcomeTableProps) {
  const theme = useComputedColorScheme("light");
  const base = runs.find(({ run }) => run.id === baseline);
  return (
    <div className={styles.wide} tabIndex={0} role="region" aria-label="what came of the runs">
      <table className={styles.table} data-testid="outcomes">
        <thead>
          <tr>
            <th scope="col">run</th>
            <th scope="col">baseline</th>
            <th scope="col" className={styles.state}>
              state
            </th>
            <th scope="col">rounds</th>
            <th scope="col">best</th>
            <th scope="col">final</th>
            <th scope="col">
              <Explained why="of the final accuracies, in points of per cent">difference</Explained>
            </th>
            <th scope="col">loss</th>
            <th scope="col">
              <Explained why="time until 90 % of the run's own final accuracy">to 90 % of final</Explained>
            </th>
            <th scope="col">
              <Explained why="time until an accuracy of 90 %">to 90 %</Explained>
            </th>
            <th scope="col">
              <Explained why="bytes of the clients' replies">received</Explained>
            </th>
            <th scope="col">ε</th>
            <th scope="col">duration</th>
            <th scope="col">
              <span className="hidden-visually">take away</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {runs.map(({ run, outcome }, index) => {
            const style = lineStyle(index, theme);
            return (
              <tr key={run.id} data-testid="compared-run" data-run={run.id}>
                <th scope="row">
                  <span
                    className={styles.swatch}
                    style={{ borderTop: `3px ${style.dash} ${style.colour}` }}
                    aria-hidden="true"
                  />
                  <Link href={`/runs/${run.id}/curves`} title={run.notes ?? undefined}>
                    {nameOf(run)}
                  </Link>
                </th>
                <td>
                  <input
                    type="radio"
                    name="baseline"
                    checked={run.id === baseline}
                    onChange={() => choose(run.id)}
                    aria-label={`${nameOf(run)} is the baseline`}
                  />
                </td>
                <td className={styles.state}>
                  <StateMark mark={RUN_MARKS[run.state]} /> {run.state}
                </td>
                <td>{count(outcome.rounds)}</td>
                <td>
                  <Value
                    text={percent(outcome.best?.accuracy)}
                    why={NOT_EVALUATED}
                    about={outcome.best === null ? undefined : `in round ${outcome.best.round}`}
                  />
                </td>
                <td>
                  <Value text={percent(outcome.final?.accuracy)} why={NOT_EVALUATED} />
                </td>
                <td data-testid="difference">
                  {run.id === baseline ? (
                    <span className="dim">baseline</span>
                  ) : (
                    <Value text={differenceWords(outcome, base?.outcome)} why={NOT_EVALUATED} />
                  )}
                </td>
                <td>
                  <Value text={loss(outcome.final_loss)} why="no round has a loss" />
                </td>
                <td>
                  <Value text={reachedWords(outcome.reached_of_final)} why={NOT_EVALUATED} />
                </td>
                <td>
                  <Value text={reachedWords(outcome.reached)} why="not reached" />
                </td>
                <td>
                  <Value text={bytes(outcome.received)} why="nothing has come from a client" />
                </td>
                <td>
                  <Value
                    text={epsilon(outcome.epsilon)}
                    why="without differential privacy, or not spent yet"
                  />
                </td>
                <td>
                  <Value text={duration(outcome.duration_s)} why="it has not started" />
                </td>
                <td>
                  <button
                    type="button"
                    className={styles.remove}
                    onClick={() => remove(run.id)}
                    aria-label={`compare without ${nameOf(run)}`}
                    title="compare without it"
                  >
                    ×
                  </button>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
