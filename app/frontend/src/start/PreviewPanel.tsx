import type { RunSpec } from "../api/types";
import { MatrixTable } from "../evaluation/MatrixTable";
import { classNames } from "../evaluation/tables";
import { NO_DATA, unbroken } from "../format/format";
import { LocalClients } from "../ready/LocalClients";
import { DATASETS } from "../runs/spec-words";
import { useStore } from "../store/store";
import { Panel } from "../ui/Panel";
import { Value } from "../ui/Value";
import styles from "./NewRunPage.module.css";
import { partRows, timeWords, unusualPart, waitWords } from "./preview-words";
import type { PreviewState } from "./usePreview";

/** Who would have what, whether enough clients are there, and how long it would take. */
export function PreviewPanel({ preview: state, spec }: { preview: PreviewState; spec: Partial<RunSpec> }) {
  const { preview, failure, stale } = state;
  const connected = useStore((page) => page.connection.state === "connected");
  return (
    <Panel title="what it would be like" area="preview">
      <div
        className={`${styles.preview} ${stale ? styles.stale : ""}`}
        data-testid="preview"
        data-stale={stale}
      >
        {failure !== null && (
          <p className="dim" role="status" data-testid="preview-failure">
            {failure}
          </p>
        )}
        {preview === null ? (
          failure === null && (
            <p className="dim">{connected ? "asking the server" : "the server does not answer"}</p>
          )
        ) : (
          <>
            <dl className={styles.facts}>
              <dt>clients</dt>
              <dd data-testid="preview-clients">{waitWords(preview)}</dd>
              <dt>time</dt>
              <dd data-testid="preview-time">
                <Value
                  text={timeWords(preview, spec.num_rounds ?? null) ?? NO_DATA}
                  why="no run with this data set, model, epochs and batch size has been here yet"
                />
              </dd>
              {preview.label_counts != null && (
                <>
                  <dt>parts</dt>
                  <dd data-testid="preview-parts">{unbroken(unusualPart(preview.label_counts))}</dd>
                </>
              )}
            </dl>
            {preview.clients < preview.needed && (
              <LocalClients
                missing={preview.needed - preview.clients}
                dataset={spec.app == null ? (spec.dataset ?? null) : null}
              />
            )}
            {preview.unknown !== null && <p className="dim">{preview.unknown}</p>}
            {preview.label_counts != null && spec.dataset !== undefined && (
              <div className={styles.parts}>
                <MatrixTable
                  caption={`Samples of ${DATASETS[spec.dataset]} in each part, by label`}
                  corner="part"
                  columns={classNames([], preview.label_counts[0]?.length ?? 0)}
                  rows={partRows(preview.label_counts)}
                  head={(row) => row.id}
                  testId="preview-labels"
                  accuracy={null}
                />
              </div>
            )}
          </>
        )}
      </div>
    </Panel>
  );
}
