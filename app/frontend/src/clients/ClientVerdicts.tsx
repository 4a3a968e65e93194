import { useThrottledValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { fetchVerdicts } from "../api/requests";
import { bytes, count, NO_DATA } from "../format/format";
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

/**
 * What was decided of a client's newest replies in a run, newest first, and the receipts that the server has signed:
 * the client keeps them, and by them finds out if the log says anything else.
 */
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
              <td>
                {entry.receipt !== null && <Receipt reply={entry.sequence} signature={entry.receipt} />}
              </td>
              <td className={styles.why}>{entry.detail}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** So many characters of a signature tell it from others at a glance. */
const SHORT = 12;

function Receipt({ reply, signature }: { reply: number | null; signature: string }) {
  return (
    <details data-testid="receipt">
      <summary>
        receipt{reply === null ? "" : ` of reply ${count(reply)}`}{" "}
        <span className="mono">{signature.slice(0, SHORT)}…</span>
      </summary>
      <p className="dim small">
        The server has signed that it accepted this reply. The client keeps the same signature in its folder{" "}
        <span className="mono">receipts</span>;{" "}
        <code>python -m app.audit verify audit.jsonl --receipts FILE</code> shows whether the log has all of
        them.
      </p>
      <code className={styles.signature}>{signature}</code>
    </details>
  );
}
