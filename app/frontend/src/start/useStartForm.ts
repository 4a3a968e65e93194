import { type FormEvent, type RefObject, useLayoutEffect, useRef, useState } from "react";
import { createRun, RequestFailed } from "../api/http";
import type { AppInfo, RunSpec, Strategy } from "../api/types";
import { activeRun, runChosen, useStore } from "../store/store";
import type { Edited, FieldErrors, Typed } from "./parameters";
import { ADVANCED_FIELDS, fieldsOf, type FormValues, LATE_FIELDS, splitErrors, toAppSpec, toSpec, valuesOf } from "./values";

export type Section = "late" | "advanced";

/** What the parts of the form need to show their fields and to change them. */
export interface FormPart {
  values: FormValues;
  /** Of the chosen strategy, or of the app's run config. */
  parameters: Edited;
  errors: FieldErrors;
  change: (changes: Partial<FormValues>) => void;
  changeParameter: (name: string, value: Typed | boolean) => void;
  opened: Readonly<Record<Section, boolean>>;
  open: (section: Section, open: boolean) => void;
}

interface StartForm extends FormPart {
  form: RefObject<HTMLFormElement | null>;
  submit: (event: FormEvent) => void;
  sending: boolean;
  failure: string | null;
}

interface StartFormInput {
  app: AppInfo | null;
  strategies: readonly Strategy[];
  started: () => void;
}

const CLOSED: Readonly<Record<Section, boolean>> = { late: false, advanced: false };

export function useStartForm({ app, strategies, started }: StartFormInput): StartForm {
  const offered = useStore(({ server }) => server.status?.default_spec);
  const active = useStore(activeRun);
  const [edited, setEdited] = useState<Partial<FormValues>>({});
  /** By strategy, so that going back to one finds its values; those of the app by the app's name. */
  const [editedParameters, setEditedParameters] = useState<Readonly<Record<string, Edited>>>({});
  const [errors, setErrors] = useState<FieldErrors>({});
  const [failure, setFailure] = useState<string | null>(null);
  const [sending, setSending] = useState(false);
  const [opened, setOpened] = useState(CLOSED);
  const [refusals, setRefusals] = useState(0);
  const form = useRef<HTMLFormElement>(null);

  // In the moment in which the messages and the opened part are there: later, it would take the focus from who types on.
  useLayoutEffect(() => {
    if (refusals > 0) form.current?.querySelector<HTMLElement>("[aria-invalid=true], [data-invalid=true]")?.focus();
  }, [refusals]);

  const values = { ...valuesOf(offered), ...edited };
  const owner = app?.name ?? values.strategy;
  const parameters = { ...givenParameters(offered, app, values.strategy), ...editedParameters[owner] };
  const strategy = strategies.find(({ name }) => name === values.strategy);

  function refuse(fields: FieldErrors, message: string | null): void {
    setErrors(fields);
    setFailure(message);
    setOpened({
      late: opened.late || LATE_FIELDS.some((field) => fields[field] !== undefined),
      advanced: opened.advanced || ADVANCED_FIELDS.some((field) => fields[field] !== undefined),
    });
    setRefusals(refusals + 1);
  }

  async function send(spec: Partial<RunSpec>): Promise<void> {
    setSending(true);
    try {
      await createRun(spec);
      refuse({}, null);
      if (active === null) runChosen(null);
      started();
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      const { fields, rest } = splitErrors(error.fields, fieldsOf(app, strategy));
      refuse(fields, failureWords(error, fields, rest));
    } finally {
      setSending(false);
    }
  }

  return {
    values,
    parameters,
    errors,
    change: (changes) => {
      setEdited({ ...edited, ...changes });
      setErrors(without(errors, Object.keys(changes)));
    },
    changeParameter: (name, value) => {
      setEditedParameters({ ...editedParameters, [owner]: { ...editedParameters[owner], [name]: value } });
      setErrors(without(errors, [`strategy_params.${name}`, `run_config.${name}`, "strategy_params", "run_config"]));
    },
    opened,
    open: (section, open) => setOpened({ ...opened, [section]: open }),
    form,
    submit: (event) => {
      event.preventDefault();
      const parsed = app === null ? toSpec(values, strategy, parameters) : toAppSpec(values, app, parameters);
      if (Object.keys(parsed.errors).length > 0) refuse(parsed.errors, null);
      else void send(parsed.spec);
    },
    sending,
    failure,
  };
}

/** Those that the server was started with. */
function givenParameters(offered: RunSpec | undefined, app: AppInfo | null, strategy: RunSpec["strategy"]): Edited {
  if (app !== null) return offered?.run_config ?? {};
  return offered?.strategy === strategy ? (offered.strategy_params ?? {}) : {};
}

/** Where every complaint stands beside its field, repeating them would only hide which is which. */
function failureWords(error: RequestFailed, fields: FieldErrors, rest: readonly string[]): string {
  const marked = Object.keys(fields).length;
  if (marked === 0) return error.message;
  const start = `Nothing was started: ${marked === 1 ? "one value needs" : `${marked} values need`} another look.`;
  return [start, ...rest].join(" ");
}

function without(errors: FieldErrors, fields: readonly string[]): FieldErrors {
  return Object.fromEntries(Object.entries(errors).filter(([field]) => !fields.includes(field)));
}
