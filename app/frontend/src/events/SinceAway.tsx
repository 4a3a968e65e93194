import { CloseButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { fetchLogCounts } from "../api/requests";
import type { Round } from "../api/types";
import { useStore } from "../store/store";
import { Clock } from "../ui/Value";
import { awayWords } from "./away";
import styles from "./EventFeed.module.css";
import { countsOf } from "./filters";
import { dismissed, useHere } from "./here";
import { serverOf } from "./useWhetherHere";

/** So often the server counts anew; what comes between is counted here. */
const COUNT_AGAIN_MS = 15_000;

/** What happened while nobody looked at the page; stands at the top until the reader dismisses it. */
export function SinceAway({ rounds }: { rounds: readonly Round[] }) {
  const left = useHere((state) => state.left);
  return left === null ? null : <News left={left} rounds={rounds} />;
}

function News({ left, rounds }: { left: number; rounds: readonly Round[] }) {
  const server = useStore(serverOf);
  const logs = useStore((state) => state.server.logs);
  const instance = useStore((state) => state.server.instance);
  // The page holds the newest lines alone.
  const { data } = useQuery({
    queryKey: ["since away", instance, left],
    queryFn: () => fetchLogCounts({ since: left }),
    refetchInterval: COUNT_AGAIN_MS,
    gcTime: 0,
  });
  const words = useMemo(() => {
    const later = logs.filter(({ time }) => time > left);
    return data === undefined ? null : awayWords(left, countsOf(data, later), rounds);
  }, [left, data, logs, rounds]);
  if (words === null) return null;
  return (
    <p className={styles.away} role="status" data-testid="since-away">
      <span>
        Since you were here (<Clock time={left} />
        ): {words}
      </span>
      <CloseButton
        size="sm"
        aria-label="Dismiss"
        onClick={() => {
          if (server !== null) dismissed(server, useStore.getState().now);
        }}
      />
    </p>
  );
}
