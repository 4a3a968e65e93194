import type { ComparedRun, Setting } from "../../api/types";
import { Explained } from "../../ui/Explained";
import { Value } from "../../ui/Value";
import styles from "./compare.module.css";
import { nameOf } from "./curves";
import { settingTitle, settingValue } from "./words";

interface SettingsTableProps {
  runs: readonly ComparedRun[];
  differing: readonly Setting[];
}

/** Only those settings that are not the same in all runs. */
export function SettingsTable({ runs, differing }: SettingsTableProps) {
  if (differing.length === 0) {
    return <p className={styles.words}>All of them have the same settings; what differs is chance.</p>;
  }
  return (
    <div className={styles.wide} tabIndex={0} role="region" aria-label="settings in which the runs differ">
      <table className={styles.table} data-testid="differing">
        <thead>
          <tr>
            <th scope="col">setting</th>
            {runs.map(({ run }) => (
              <th key={run.id} scope="col">
                {nameOf(run)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {differing.map(({ name, values }) => (
            <tr key={name}>
              <th scope="row">
                <Explained why={name}>{settingTitle(name)}</Explained>
              </th>
              {runs.map(({ run }, index) => (
                <td key={run.id}>
                  <Value text={settingValue(values[index])} why="it has no such setting" />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
