import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "wouter";
import { RequestFailed } from "../../api/http";
import { deleteRuns } from "../../api/requests";
import { plural } from "../../format/format";
import { useMay } from "../../login/who";
import { Asked } from "../../ui/Asked";
import { useCommand } from "../useCommand";
import styles from "./RunTable.module.css";

interface SelectedRunsProps {
  ids: readonly string[];
  /** Which of them stay selected. */
  change: (ids: readonly string[]) => void;
}

const MOST_COMPARED = 20;

/** What can be done with several runs. */
export function SelectedRuns({ ids, change }: SelectedRunsProps) {
  const mayDelete = useMay("operator");
  const comparable = ids.length >= 2 && ids.length <= MOST_COMPARED;
  return (
    <div className={styles.selected} role="group" aria-label="selected runs">
      <span aria-live="polite">{plural(ids.length, "run")} selected</span>
      {comparable ? (
        <Button component={Link} href={`/runs/compare?ids=${ids.join(",")}`} size="xs" data-testid="compare">
          Compare
        </Button>
      ) : (
        <span className="dim small">
          {ids.length < 2 ? "select another to compare them" : `up to ${MOST_COMPARED} can be compared`}
        </span>
      )}
      {mayDelete && <DeleteRuns ids={ids} done={change} />}
      <Button variant="subtle" size="xs" onClick={() => change([])}>
        Select none
      </Button>
    </div>
  );
}

/** `done`: told which could not be deleted. */
export function DeleteRuns({
  ids,
  done,
}: {
  ids: readonly string[];
  done: (kept: readonly string[]) => void;
}) {
  const queries = useQueryClient();
  const remove = async (): Promise<void> => {
    const { kept } = await deleteRuns(ids);
    await queries.invalidateQueries({ queryKey: ["runs"] });
    if (kept.length > 0) {
      const deleted = ids.length - kept.length;
      done(kept.map(({ id }) => id));
      throw new RequestFailed(
        [`${plural(deleted, "run")} deleted.`, ...kept.map(({ why }) => why)].join(" "),
      );
    }
    done([]);
  };
  const { taken, give } = useCommand(remove, ids.join());
  return (
    <Asked
      button={(ask) => (
        <Button variant="default" size="xs" onClick={ask} data-testid="delete-runs">
          Delete
        </Button>
      )}
      title={ids.length === 1 ? `Delete run ${ids[0]}?` : `Delete ${plural(ids.length, "run")}?`}
      consequence={`${ids.length === 1 ? "Its" : "Their"} curves, checkpoints and exports are gone; the audit log keeps what it says of ${ids.length === 1 ? "it" : "them"}.`}
      keep={ids.length === 1 ? "Keep it" : "Keep them"}
      confirm="Delete"
      busy="Deleting…"
      taken={taken}
      give={give}
      testId="delete-runs"
    />
  );
}
