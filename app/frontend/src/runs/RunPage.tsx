import type { ReactNode } from "react";
import { Link } from "wouter";
import type { Run } from "../api/types";
import { Charts } from "../charts/Charts";
import { ClientTable } from "../clients/ClientTable";
import DataPage from "../evaluation/DataPage";
import { EventFeed, EventFilters } from "../events/EventFeed";
import { useEventFilter } from "../events/useEventFilter";
import Files from "../files/Files";
import { useStore } from "../store/store";
import { Panel } from "../ui/Panel";
import { RunNotes } from "./notes/RunNotes";
import { OfRun } from "./OfRun";
import { RunActions } from "./RunActions";
import styles from "./RunPage.module.css";
import { useChosenRound } from "./useChosenRound";

const PARTS = ["curves", "clients", "data", "events", "files"] as const;
type RunPart = (typeof PARTS)[number];

interface RunPageProps {
  id: string;
  /** As it stands in the address. */
  part: string;
  failure: string | null;
}

/** One run, be it over or not: everything here is of that run only. */
export default function RunPage(props: RunPageProps) {
  return (
    <OfRun id={props.id}>
      <Parts {...props} />
    </OfRun>
  );
}

function Parts({ id, part, failure }: RunPageProps) {
  const run = useStore((state) => state.server.runs.find((each) => each.id === id));
  // The round that the reader keeps in the curves is the one that the data are of.
  const [round] = useChosenRound();
  const kept = round === null ? "" : `?round=${round}`;
  const shown = PARTS.find((each) => each === part);
  if (run === undefined) return null;
  if (shown === undefined) return <NoSuchPart id={id} part={part} />;
  return (
    <div className={styles.page}>
      <nav className={styles.parts} aria-label={`run ${id}`}>
        {PARTS.map((each) => (
          <Link
            key={each}
            href={`/runs/${id}/${each}${kept}`}
            className={styles.part ?? ""}
            aria-current={each === shown ? "page" : undefined}
            data-testid={`part-${each}`}
          >
            {each}
          </Link>
        ))}
        <span className={styles.space} />
        <RunActions run={run} />
      </nav>
      <RunNotes key={run.id} run={run} />
      {bodyOf(shown, run, failure)}
    </div>
  );
}

function bodyOf(part: RunPart, run: Run, failure: string | null): ReactNode {
  switch (part) {
    case "curves":
      return (
        <div className={styles.curves}>
          <Charts failure={failure} />
        </div>
      );
    case "clients":
      return (
        <div className={styles.clients}>
          <ClientTable of={run} />
        </div>
      );
    case "data":
      return <DataPage />;
    case "events":
      return <Events />;
    case "files":
      return (
        <div className={styles.files}>
          <Panel title="files" area="files">
            <Files />
          </Panel>
        </div>
      );
  }
}

function Events() {
  const [filter, setFilter] = useEventFilter();
  return (
    <div className={styles.events}>
      <Panel title="events" area="events" actions={<EventFilters filter={filter} change={setFilter} />}>
        <EventFeed filter={filter} />
      </Panel>
    </div>
  );
}

function NoSuchPart({ id, part }: { id: string; part: string }) {
  return (
    <div className={styles.files}>
      <Panel title="no such page" area="files">
        <p className={styles.missing} role="alert" data-testid="no-such-run">
          A run has no page <span className="mono">{part}</span>. See{" "}
          <Link href={`/runs/${id}/curves`}>its curves</Link>.
        </p>
      </Panel>
    </div>
  );
}
