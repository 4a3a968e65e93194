import { latency as latencyWords } from "../format/format";
import type { Place } from "./layout";
import type { NetworkLink } from "./network";
import styles from "./NetworkGraph.module.css";
import { standing } from "./standing";
import { linkWords, NOT_MEASURED, rate } from "./words";

interface LinkLabelProps extends Pick<NetworkLink, "latency" | "traffic"> {
  /** The names of both ends. */
  ends: readonly [string, string];
  at: Place;
  testId: string;
  /** Why there is no latency. */
  why?: string;
  picked?: boolean;
}

/** How far the ends of a link are from each other, and what goes over it. */
export function LinkLabel({
  ends,
  at,
  latency,
  traffic,
  testId,
  why = NOT_MEASURED,
  picked,
}: LinkLabelProps) {
  const title = linkWords(...ends, { latency, traffic });
  return (
    <span
      className={styles.latency}
      style={standing(at)}
      title={latency === null ? `${title}. ${why}` : title}
      data-testid={testId}
      data-peer={ends[1]}
      data-picked={picked}
    >
      {latencyWords(latency)}
      {traffic !== null && <span className={styles.rate}>{rate(traffic)}</span>}
    </span>
  );
}
