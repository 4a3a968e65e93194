import { Button } from "@mantine/core";
import { Link, useLocation } from "wouter";
import { isActive, type Run } from "../api/types";
import { useMay } from "../login/who";
import { DeleteRuns } from "./list/SelectedRuns";

/** What can be done with a run beside what the bar has: a new one from it, or no run any more. */
export function RunActions({ run }: { run: Run }) {
  const mayRun = useMay("operator");
  const [, go] = useLocation();
  if (!mayRun) return null;
  return (
    <>
      <Button
        component={Link}
        href={`/new?like=${run.id}`}
        variant="default"
        size="xs"
        data-testid="run-like"
      >
        New run like this
      </Button>
      {!isActive(run.state) && run.state !== "queued" && (
        <DeleteRuns
          ids={[run.id]}
          done={(kept) => {
            if (kept.length === 0) go("/runs");
          }}
        />
      )}
    </>
  );
}
