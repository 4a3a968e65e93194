import { Button } from "@mantine/core";
import { useMemo, useState } from "react";
import type { LogEntry, LogLevel } from "../api/types";
import { count } from "../format/format";
import { useStore } from "../store/store";
import { Choice } from "../ui/Choice";
import { VirtualRows } from "../ui/VirtualRows";
import styles from "./EventFeed.module.css";
import { EventRow } from "./EventRow";

const FILTERS = ["all", "info", "warning", "error"] as const;
export type EventFilter = (typeof FILTERS)[number];

function countByLevel(logs: readonly LogEntry[]): Record<EventFilter, number> {
  const counts: Record<LogLevel, number> = { debug: 0, info: 0, warning: 0, error: 0 };
  for (const entry of logs) counts[entry.level] += 1;
  return { all: logs.length, info: counts.info, warning: counts.warning, error: counts.error };
}

export function EventFeed({ filter }: { filter: EventFilter }) {
  const logs = useStore((state) => state.server.logs);
  const [following, setFollowing] = useState(true);
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
  const shown = useMemo(
    () => (filter === "all" ? logs : logs.filter((entry) => entry.level === filter)),
    [logs, filter],
  );

  const toggle = (seq: number): void => {
    const next = new Set(opened);
    if (!next.delete(seq)) next.add(seq);
    setOpened(next);
  };
  return (
    <>
      {shown.length === 0 ? (
        <p className={styles.empty}>
          {filter === "all" ? "nothing has happened yet" : `no ${filter} so far`}
        </p>
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
            return (
              entry && (
                <EventRow entry={entry} open={opened.has(entry.seq)} toggle={() => toggle(entry.seq)} />
              )
            );
          }}
          follow={{ on: following, change: setFollowing }}
        />
      )}
      {!following && shown.length > 0 && (
        <Button
          className={styles.latest ?? ""}
          size="compact-sm"
          variant="default"
          onClick={() => setFollowing(true)}
          data-testid="follow-events"
        >
          Go to the latest
        </Button>
      )}
    </>
  );
}

interface EventFiltersProps {
  filter: EventFilter;
  change: (filter: EventFilter) => void;
}

export function EventFilters({ filter, change }: EventFiltersProps) {
  const logs = useStore((state) => state.server.logs);
  const counts = useMemo(() => countByLevel(logs), [logs]);
  return (
    <Choice
      label="level of the events"
      options={FILTERS}
      chosen={filter}
      change={change}
      testId="events"
      beside={(each) => <span className={styles.count}>{count(counts[each])}</span>}
    />
  );
}
