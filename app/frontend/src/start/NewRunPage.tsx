import { Button } from "@mantine/core";
import { Link } from "wouter";
import { activeRun, useStore } from "../store/store";
import { useStrategies } from "../strategies/useStrategies";
import dialog from "../ui/Dialog.module.css";
import { Panel } from "../ui/Panel";
import { AppFields } from "./AppFields";
import { BuiltInFields } from "./BuiltInFields";
import { JsonFile } from "./JsonFile";
import styles from "./NewRunPage.module.css";
import { PreviewPanel } from "./PreviewPanel";
import { Presets } from "./Presets";
import { useFocusOnRefusal } from "./useFocusOnRefusal";
import { useLikeRun } from "./useLikeRun";
import { usePreview } from "./usePreview";
import { useStartForm } from "./useStartForm";
import { queueNote } from "./words";

/** Asks for a run, and shows beside the form what it would be like. */
export default function NewRunPage() {
  const app = useStore(({ server }) => server.status?.app ?? null);
  const active = useStore(activeRun);
  const { strategies, failure } = useStrategies();
  const start = useStartForm({ app, strategies });
  const like = useLikeRun(app, start.fill);
  const preview = usePreview(start.parsed, start.knownFields);
  const form = useFocusOnRefusal(start.refusals);
  const note = queueNote(active);
  // What is wrong is said as one types; what the server refused stays until it is changed.
  const part = { ...start, errors: { ...preview.errors, ...start.parsed.errors, ...start.errors } };
  return (
    <div className={styles.page}>
      <Panel
        title={active === null ? "new run" : "new run, queued"}
        area="form"
        actions={<JsonFile spec={start.parsed.spec} fill={start.fill} />}
      >
        <form ref={form} className={styles.form} onSubmit={start.submit} noValidate data-testid="start-form">
          {note !== null && <p className={dialog.note}>{note}</p>}
          {like !== null && (
            <p className={styles.like} role="status" data-testid="like">
              {like}
            </p>
          )}
          {app === null ? (
            <>
              <Presets fill={start.fill} />
              <BuiltInFields part={part} strategies={strategies} failure={failure} />
            </>
          ) : (
            <AppFields part={part} app={app} />
          )}
          <div className={styles.footer}>
            {start.failure !== null && (
              <p className={dialog.failure} role="alert" data-testid="start-failure">
                {start.failure}
              </p>
            )}
            <div className={dialog.buttons}>
              {start.isDraft && (
                <span className={styles.draft}>
                  <span className="dim small">this browser keeps the draft</span>
                  <Button
                    variant="subtle"
                    size="compact-md"
                    onClick={start.startOver}
                    data-testid="start-over"
                  >
                    Start over
                  </Button>
                </span>
              )}
              <Button component={Link} href="/" variant="default">
                Back
              </Button>
              <Button type="submit" disabled={start.sending} miw={128} data-testid="start-submit">
                {submitWords(start.sending, active !== null)}
              </Button>
            </div>
          </div>
        </form>
      </Panel>
      <PreviewPanel preview={preview} spec={start.parsed.spec} />
    </div>
  );
}

function submitWords(sending: boolean, queues: boolean): string {
  if (sending) return queues ? "Queueing…" : "Starting…";
  return queues ? "Queue run" : "Start run";
}
