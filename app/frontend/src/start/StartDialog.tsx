import { Button, Modal } from "@mantine/core";
import { type FormEvent, useRef, useState } from "react";
import { createRun, RequestFailed } from "../api/http";
import type { RunSpec } from "../api/types";
import dialog from "../components/Dialog.module.css";
import { cohortNote, queueNote } from "../components/run-words";
import { activeRun, runChosen, useStore } from "../store/store";
import { StartFields } from "./StartFields";
import { ADVANCED, type Field, type FieldErrors, type FormValues, splitErrors, toSpec, valuesOf } from "./values";

/** Asks for a run. Stays mounted while closed, so that the values survive until the page is left. */
export function StartDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const [edited, setEdited] = useState<Partial<FormValues>>({});
  const offered = useStore(({ server }) => server.status?.default_spec);
  const values = { ...valuesOf(offered), ...edited };
  const [errors, setErrors] = useState<FieldErrors>({});
  const [failure, setFailure] = useState<string | null>(null);
  const [sending, setSending] = useState(false);
  const [advanced, setAdvanced] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const active = useStore(activeRun);
  const holders = useStore(({ server }) => holdersOf(values.dataset, server.clients));

  function refuse(fields: FieldErrors, message: string | null): void {
    setErrors(fields);
    setFailure(message);
    if (ADVANCED.some((field) => fields[field] !== undefined)) setAdvanced(true);
    // After the next paint, when the messages and the opened part are there.
    setTimeout(() => form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus(), 50);
  }

  async function send(spec: Partial<RunSpec>): Promise<void> {
    setSending(true);
    try {
      await createRun(spec);
      refuse({}, null);
      if (active === null) runChosen(null);
      onClose();
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      const { fields, rest } = splitErrors(error.fields);
      refuse(fields, failureWords(error, fields, rest));
    } finally {
      setSending(false);
    }
  }

  function submit(event: FormEvent): void {
    event.preventDefault();
    const { spec, errors: typing } = toSpec(values);
    if (spec === null) refuse(typing, null);
    else void send(spec);
  }

  const note = queueNote(active);
  const change = (changes: Partial<typeof values>): void => {
    setEdited({ ...edited, ...changes });
    setErrors(without(errors, Object.keys(changes) as Field[]));
  };
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={active === null ? "New run" : "New run, queued"}
      classNames={{ title: dialog.title ?? "" }}
      closeButtonProps={{ "aria-label": "Close" }}
      size={720}
      centered
    >
      <form ref={form} onSubmit={submit} noValidate data-testid="start-form">
        {note !== null && <p className={dialog.note}>{note}</p>}
        <StartFields
          values={values}
          errors={errors}
          change={change}
          cohort={cohortNote(values.dataset, holders, Number(values.min_clients))}
          advanced={advanced}
          setAdvanced={setAdvanced}
        />
        {failure !== null && (
          <p className={dialog.failure} role="alert" data-testid="start-failure">
            {failure}
          </p>
        )}
        <div className={dialog.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={sending} miw={128} data-testid="start-submit">
            {submitWords(sending, active !== null)}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

/** Where every complaint stands beside its field, repeating them would only hide which is which. */
function failureWords(error: RequestFailed, fields: FieldErrors, rest: readonly string[]): string {
  const marked = Object.keys(fields).length;
  if (marked === 0) return error.message;
  const start = `Nothing was started: ${marked === 1 ? "one value needs" : `${marked} values need`} another look.`;
  return [start, ...rest].join(" ");
}

function submitWords(sending: boolean, queues: boolean): string {
  if (sending) return queues ? "Queueing…" : "Starting…";
  return queues ? "Queue run" : "Start run";
}

function holdersOf(dataset: string, clients: readonly { state: string; dataset: string }[]): number {
  return clients.filter((client) => client.state !== "lost" && client.dataset === dataset).length;
}

function without(errors: FieldErrors, fields: readonly Field[]): FieldErrors {
  const next = { ...errors };
  for (const field of fields) delete next[field];
  return next;
}
