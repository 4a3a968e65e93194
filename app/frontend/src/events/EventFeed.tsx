import { Button } from "@mantine/core";
import { useMemo, useState } from "react";
import { count } from "../format/format";
import { shownRun, useStore } from "../store/store";
import { Choice } from "../ui/Choice";
import { VirtualRows } from "../ui/VirtualRows";
import styles from "./EventFeed.module.css";
import { EventRow } from "./EventRow";
import { countByFilter, type EventFilter, filtersFor, noneWords, passes } from "./filters";

export function EventFeed({ filter }: { filter: EventFilter }) {
  const logs = useStore((state) => state.server.logs);
  const [following, setFollowing] = useState(true);
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
  const shown = useMemo(
    () => (filter === "all" ? logs : logs.filter((entry) => passes(entry, filter))),
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
        <p className={styles.empty}>{noneWords(filter)}</p>
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
  const foreign = useStore((state) => shownRun(state)?.spec.app != null || state.server.status?.app != null);
  const counts = useMemo(() => countByFilter(logs), [logs]);
  const filters = useMemo(() => filtersFor(logs, foreign), [logs, foreign]);
  return (
    <Choice
      label="level of the events"
      options={filters}
      chosen={filter}
      change={change}
      testId="events"
      beside={(each) => <span className={styles.count}>{count(counts[each])}</span>}
    />
  );
}
