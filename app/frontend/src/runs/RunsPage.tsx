import { useMemo } from "react";
import { count } from "../format/format";
import { Panel } from "../ui/Panel";
import { Filters } from "./list/Filters";
import { isFiltered, queryOf } from "./list/query";
import { RunTable } from "./list/RunTable";
import table from "./list/RunTable.module.css";
import { SelectedRuns } from "./list/SelectedRuns";
import { useListChoice } from "./list/useListChoice";
import { useFirstRuns } from "./list/useRunPage";
import styles from "./RunsPage.module.css";

/** All runs that the server has: searched, put in order, named, compared and deleted. */
export default function RunsPage() {
  const [choice, change] = useListChoice();
  const { list, error } = useFirstRuns(useMemo(() => queryOf(choice), [choice]));
  const all = Object.values(list?.states ?? {}).reduce((sum, number) => sum + number, 0);
  return (
    <div className={styles.runs}>
      <Panel
        title="runs"
        area="runs"
        beside={
          <span className="dim small" role="status" data-testid="runs-count">
            {list !== undefined &&
              (isFiltered(choice) ? `${count(list.total)} of ${count(all)}` : count(all))}
          </span>
        }
      >
        <Filters choice={choice} change={change} tags={list?.tags ?? []} states={list?.states ?? {}} />
        {choice.selected.length > 0 && (
          <SelectedRuns ids={choice.selected} change={(selected) => change({ ...choice, selected })} />
        )}
        {error !== null && (
          <p className={table.failure} role="alert">
            The runs could not be listed: {error.message}
          </p>
        )}
        {list !== undefined &&
          (list.total === 0 ? (
            <p className={table.words}>
              {all === 0
                ? "none yet; each run stays here with its curves"
                : "no run has all that is asked for: take a filter away"}
            </p>
          ) : (
            <RunTable choice={choice} change={change} list={list} />
          ))}
      </Panel>
    </div>
  );
}
