import { useMediaQuery } from "@mantine/hooks";
import { Charts } from "../charts/Charts";
import { ClientTable } from "../clients/ClientTable";
import { EventFeed, EventFilters } from "../events/EventFeed";
import { useEventFilter } from "../events/useEventFilter";
import { isReadyCheck } from "../ready/ready";
import { ReadyCheck } from "../ready/ReadyCheck";
import { useStore } from "../store/store";
import { Panel } from "../ui/Panel";
import styles from "./Live.module.css";

/** What goes on now: is it getting better, who is at work, what has happened. */
export function Live({ failure }: { failure: string | null }) {
  const [filter, setFilter] = useEventFilter();
  const checking = useStore(isReadyCheck);
  // On a phone the blocks are stacked, and the page scrolls.
  const third = useMediaQuery("(height >= 800px) or (width < 1024px)", false);
  return (
    <div className={styles.live} data-checking={checking}>
      {checking ? (
        <ReadyCheck />
      ) : (
        <div className={styles.left} data-third={third}>
          <Charts failure={failure} third={third} />
        </div>
      )}
      <div className={styles.right}>
        <ClientTable checking={checking} />
        <Panel title="events" area="events" actions={<EventFilters filter={filter} change={setFilter} />}>
          <EventFeed filter={filter} />
        </Panel>
      </div>
    </div>
  );
}
