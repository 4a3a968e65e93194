import { Button } from "@mantine/core";
import { useMemo, useState } from "react";
import type { LogEntry, LogLevel } from "../api/types";
import { count } from "../format/format";
import { useStore } from "../store/store";
import styles from "./EventFeed.module.css";
import { EventRow } from "./EventRow";
import { Panel } from "./Panel";
import { VirtualRows } from "./VirtualRows";

const FILTERS = ["all", "info", "warning", "error"] as const;
type Filter = (typeof FILTERS)[number];

function countByLevel(logs: readonly LogEntry[]): Record<Filter, number> {
  const counts: Record<LogLevel, number> = { debug: 0, info: 0, warning: 0, error: 0 };
  for (const entry of logs) counts[entry.level] += 1;
  return { all: logs.length, info: counts.info, warning: counts.warning, error: counts.error };
}

export function EventFeed() {
  const logs = useStore((state) => state.server.logs);
  const [filter, setFilter] = useState<Filter>("all");
  const [following, setFollowing] = useState(true);
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
  const counts = useMemo(() => countByLevel(logs), [logs]);
  const shown = useMemo(() => (filter === "all" ? logs : logs.filter((entry) => entry.level === filter)), [logs, filter]);

  const toggle = (seq: number): void => {
    const next = new Set(opened);
    if (!next.delete(seq)) next.add(seq);
    setOpened(next);
  };
  return (
    <Panel title="events" area="events" actions={<Filters filter={filter} counts={counts} change={setFilter} />}>
      {shown.length === 0 ? (
        <p className={styles.empty}>{filter === "all" ? "nothing has happened yet" : `no ${filter} so far`}</p>
      ) : (
        <VirtualRows
          key={filter}
          role="list"
          label={`events, ${filter}`}
          testId="events"
          count={shown.length}
          rowHeight={24}
          keyOf={(index) => shown[index]?.seq ?? index}
          render={(index) => {
            const entry = shown[index];
            return entry && <EventRow entry={entry} open={opened.has(entry.seq)} toggle={() => toggle(entry.seq)} />;
          }}
          follow={{ on: following, change: setFollowing }}
        />
      )}
      {!following && shown.length > 0 && (
        <Button className={styles.latest ?? ""} size="compact-sm" variant="default" onClick={() => setFollowing(true)} data-testid="follow-events">
          Go to the latest
        </Button>
      )}
    </Panel>
  );
}

interface FiltersProps {
  filter: Filter;
  counts: Record<Filter, number>;
  change: (filter: Filter) => void;
}

function Filters({ filter, counts, change }: FiltersProps) {
  return (
    <div className={styles.filters} role="group" aria-label="level of the events">
      {FILTERS.map((each) => (
        <button
          key={each}
          type="button"
          className={styles.filter}
          aria-pressed={each === filter}
          onClick={() => change(each)}
          data-testid={`events-${each}`}
        >
          {each} <span className={styles.count}>{count(counts[each])}</span>
        </button>
      ))}
    </div>
  );
}
