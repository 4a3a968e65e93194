import type { Client } from "../api/types";
import { CopyReport } from "../events/CopyReport";
import { number } from "../format/format";
import { type AppLabels, roundTitle } from "../runs/round-words";
import { Explained } from "../ui/Explained";
import { Traceback } from "../ui/Traceback";
import styles from "./ClientDetails.module.css";
import { ClientVerdicts } from "./ClientVerdicts";
import { type LatestResult, numbersByStage, type StageNumbers } from "./results";
import { judged } from "./verdicts";

interface ClientDetailsProps {
  /** Whose verdicts are shown; null: none are. */
  client: Client | null;
  runId: string;
  latest: LatestResult;
  labels: AppLabels;
  /** Of the table that it stands in. */
  columns: number;
}

/** What a client's row has no column for: why it failed, the numbers of another Flower app, and verdicts. */
export function ClientDetails({
  client,
  runId,
  latest: { round, result },
  labels,
  columns,
}: ClientDetailsProps) {
  const stages = numbersByStage(result);
  return (
    <div role="row" className={styles.details} data-testid="client-details">
      <div role="cell" aria-colspan={columns}>
        {result.error !== null && (
          <Traceback
            text={result.error}
            actions={<CopyReport runId={runId} source={client?.id ?? "server"} traceback={result.error} />}
          />
        )}
        {stages.length > 0 && <Numbers title={roundTitle(round, labels)} stages={stages} />}
        {client?.verdict != null && (
          <ClientVerdicts runId={runId} clientId={client.id} version={judged(client)} />
        )}
      </div>
    </div>
  );
}

function Numbers({ title, stages }: { title: string; stages: readonly StageNumbers[] }) {
  return (
    <div className={styles.scroller} tabIndex={0} role="group" aria-label={`metrics of ${title}`}>
      <table className={styles.numbers}>
        <caption>{title}</caption>
        {stages.map(({ stage, numbers }) => (
          <tbody key={stage} data-stage={stage}>
            {numbers.map(([name, value], index) => (
              <tr key={name}>
                {index === 0 && (
                  <th scope="rowgroup" rowSpan={numbers.length}>
                    {stage}
                  </th>
                )}
                <th scope="row">{name}</th>
                <td>
                  <Explained why={String(value)} look="plain">
                    {number(value)}
                  </Explained>
                </td>
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}
