import { Button } from "@mantine/core";
import { useMemo, useState } from "react";
import { count } from "../format/format";
import { appLabels } from "../runs/round-words";
import { pastRun, shownRounds, shownRun, useStore } from "../store/store";
import { Choice } from "../ui/Choice";
import { VirtualRows } from "../ui/VirtualRows";
import styles from "./EventFeed.module.css";
import { EventRow } from "./EventRow";
import { type EventFilter, filtersFor, noneWords, passes } from "./filters";
import { RoundRow } from "./RoundRow";
import { SinceAway } from "./SinceAway";
import { type Item, timelineOf } from "./timeline";
import { useEvents } from "./useEvents";

const keyOf = (item: Item): string =>
  item.kind === "round" ? `round ${item.round.round}` : String(item.entry.seq);

/** What happened, a sentence for each round; with a filter, the lines that pass it. */
export function EventFeed({ filter }: { filter: EventFilter }) {
  const { logs, counts, arriving, failure, loading } = useEvents();
  const rounds = useStore(shownRounds);
  const past = useStore((state) => pastRun(state) !== null);
  const labels = useMemo(() => appLabels(rounds), [rounds]);
  const [following, setFollowing] = useState(true);
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const shown = useMemo(
    () => (filter === "all" ? logs : logs.filter((entry) => passes(entry, filter))),
    [logs, filter],
  );
  const items = useMemo(() => timelineOf(shown, filter === "all" ? rounds : []), [shown, filter, rounds]);

  const toggle = (key: string): void => {
    const next = new Set(opened);
    if (!next.delete(key)) next.add(key);
    setOpened(next);
  };
  if (failure !== null) return <p className={styles.empty}>The events could not be loaded: {failure}</p>;
  if (loading) return <p className={styles.empty}>loading the events</p>;
  return (
    <>
      {!past && <SinceAway rounds={rounds} />}
      {shown.length + arriving < counts[filter] && (
        <p className={styles.left} data-testid="events-left">
          the newest {count(shown.length)} of {count(counts[filter])}
        </p>
      )}
      {items.length === 0 ? (
        <p className={styles.empty}>{noneWords(filter)}</p>
      ) : (
        <VirtualRows
          key={filter}
          role="list"
          label={`events, ${filter}`}
          testId="events"
          count={items.length}
          rowHeight={24}
          keyOf={(index) => (items[index] === undefined ? index : keyOf(items[index]))}
          render={(index) => {
            const item = items[index];
            if (item === undefined) return null;
            const key = keyOf(item);
            const open = opened.has(key);
            if (item.kind === "entry") {
              return <EventRow entry={item.entry} open={open} toggle={() => toggle(key)} />;
            }
            return (
              <RoundRow
                fold={item}
                labels={labels}
                open={open}
                toggle={() => toggle(key)}
                opened={opened}
                toggleLine={(seq) => toggle(String(seq))}
              />
            );
          }}
          follow={{ on: following, change: setFollowing }}
        />
      )}
      {!following && items.length > 0 && (
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
  const { logs, counts } = useEvents();
  const foreign = useStore((state) => shownRun(state)?.spec.app != null || state.server.status?.app != null);
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
