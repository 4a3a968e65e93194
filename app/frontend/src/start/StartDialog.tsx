import { Button, Modal } from "@mantine/core";
import { activeRun, useStore } from "../store/store";
import { useStrategies } from "../strategies/useStrategies";
import dialog from "../ui/Dialog.module.css";
import { AppFields } from "./AppFields";
import { BuiltInFields } from "./BuiltInFields";
import styles from "./StartDialog.module.css";
import { useFocusOnRefusal } from "./useFocusOnRefusal";
import { useStartForm } from "./useStartForm";
import { queueNote } from "./words";

/** Asks for a run. Stays mounted while closed, so that the values survive until the page is left. */
export default function StartDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const app = useStore(({ server }) => server.status?.app ?? null);
  const active = useStore(activeRun);
  const { strategies, failure } = useStrategies();
  const part = useStartForm({ app, strategies, started: onClose });
  const form = useFocusOnRefusal(part.refusals);
  const note = queueNote(active);
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={active === null ? "New run" : "New run, queued"}
      classNames={{ title: dialog.title ?? "" }}
      closeButtonProps={{ "aria-label": "Close" }}
      size={760}
      centered
    >
      <form ref={form} onSubmit={part.submit} noValidate data-testid="start-form">
        {note !== null && <p className={dialog.note}>{note}</p>}
        {app === null ? (
          <BuiltInFields part={part} strategies={strategies} failure={failure} />
        ) : (
          <AppFields part={part} app={app} />
        )}
        <div className={styles.footer}>
          {part.failure !== null && (
            <p className={dialog.failure} role="alert" data-testid="start-failure">
              {part.failure}
            </p>
          )}
          <div className={dialog.buttons}>
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" disabled={part.sending} miw={128} data-testid="start-submit">
              {submitWords(part.sending, active !== null)}
            </Button>
          </div>
        </div>
      </form>
    </Modal>
  );
}

function submitWords(sending: boolean, queues: boolean): string {
  if (sending) return queues ? "Queueing…" : "Starting…";
  return queues ? "Queue run" : "Start run";
}
