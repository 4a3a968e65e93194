import { useThrottledValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { fetchVerdicts } from "../api/requests";
import { bytes, NO_DATA } from "../format/format";
import { Ago, Value } from "../ui/Value";
import styles from "./ClientDetails.module.css";
import { VerdictMark } from "./VerdictMark";

const SHOWN = 20;
/** Replies may come faster than a list of them is worth asking for. */
const LEAST_GAP_MS = 1000;

interface ClientVerdictsProps {
  runId: string;
  clientId: string;
  /** Grows with each reply that was judged. */
  version: number;
}

/** What was decided of a client's newest replies in a run, newest first. */
export function ClientVerdicts({ runId, clientId, version }: ClientVerdictsProps) {
  const asked = useThrottledValue(version, LEAST_GAP_MS);
  const { data, error } = useQuery({
    queryKey: ["verdicts", runId, clientId, asked],
    queryFn: async () => (await fetchVerdicts(runId, clientId, SHOWN)).reverse(),
    placeholderData: keepPreviousData,
    gcTime: 0,
  });
  if (error !== null) return <p className="dim">The verdicts could not be loaded: {error.message}</p>;
  if (data === undefined || data.length === 0) return null;
  return (
    <div className={styles.scroller} tabIndex={0} role="group" aria-label={`verdicts on ${clientId}`}>
      <table className={styles.verdicts} data-testid="client-verdicts">
        <caption>newest replies, checked before anybody uses them</caption>
        <tbody>
          {data.map((entry) => (
            <tr key={entry.seq}>
              <td>
                <VerdictMark verdict={entry.verdict} />
              </td>
              <td>
                <Value
                  text={entry.round === null ? NO_DATA : `round ${entry.round}`}
                  why="it belongs to no round that is known"
                />
              </td>
              <td>{entry.kind}</td>
              <td>{bytes(entry.bytes)}</td>
              <td>
                <Ago time={entry.time} />
              </td>
              <td className={styles.why}>{entry.detail}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
