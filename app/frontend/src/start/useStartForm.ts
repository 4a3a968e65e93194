import { type SyntheticEvent, useState } from "react";
import { RequestFailed } from "../api/http";
import { createRun } from "../api/requests";
import type { AppInfo, RunSpec, Strategy } from "../api/types";
import { activeRun, runChosen, useStore } from "../store/store";
import { failureWords, splitErrors, withoutChanged } from "./errors";
import type { Edited, FieldErrors, Typed } from "./parameters";
import { type GroupName, GROUPS, numbersIn } from "./spec-fields";
import {
  fieldsOf,
  fieldsOfGroup,
  type FormValues,
  type GroupValues,
  toAppSpec,
  toSpec,
  valuesOf,
} from "./values";

export type Section = "late" | "privacy" | "advanced";

/** What the parts of the form need to show their fields and to change them. */
export interface FormPart {
  values: FormValues;
  /** Of the chosen strategy, or of the app's run config. */
  parameters: Edited;
  errors: FieldErrors;
  change: (changes: Partial<FormValues>) => void;
  changeGroup: (name: GroupName, changes: Partial<GroupValues>) => void;
  changeParameter: (name: string, value: Typed | boolean) => void;
  opened: Readonly<Record<Section, boolean>>;
  open: (section: Section, open: boolean) => void;
}

interface StartForm extends FormPart {
  /** How often a run was refused, by the form itself or by the server. */
  refusals: number;
  submit: (event: SyntheticEvent) => void;
  sending: boolean;
  failure: string | null;
}

interface StartFormInput {
  app: AppInfo | null;
  strategies: readonly Strategy[];
  started: () => void;
}

const CLOSED: Readonly<Record<Section, boolean>> = { late: false, privacy: false, advanced: false };

export function useStartForm({ app, strategies, started }: StartFormInput): StartForm {
  const offered = useStore(({ server }) => server.status?.default_spec);
  const active = useStore(activeRun);
  const [edited, setEdited] = useState<Partial<FormValues>>({});
  /** By strategy, so that going back to one finds its values; those of the app by the app's name. */
  const [editedParameters, setEditedParameters] = useState<Readonly<Record<string, Edited>>>({});
  const [errors, setErrors] = useState<FieldErrors>({});
  /** What the server said that belongs to no field; null while it has refused nothing. */
  const [refused, setRefused] = useState<readonly string[] | null>(null);
  const [sending, setSending] = useState(false);
  const [opened, setOpened] = useState(CLOSED);
  const [refusals, setRefusals] = useState(0);

  const values = { ...valuesOf(offered), ...edited };
  const owner = app?.name ?? values.strategy;
  const parameters = { ...givenParameters(offered, app, values.strategy), ...editedParameters[owner] };
  const strategy = strategies.find(({ name }) => name === values.strategy);

  function refuse(fields: FieldErrors, rest: readonly string[] | null): void {
    setErrors(fields);
    setRefused(rest);
    setOpened({
      late: opened.late || numbersIn("late").some((field) => fields[field] !== undefined),
      privacy: opened.privacy || GROUPS.flatMap(fieldsOfGroup).some((field) => fields[field] !== undefined),
      advanced: opened.advanced || numbersIn("advanced").some((field) => fields[field] !== undefined),
    });
    setRefusals(refusals + 1);
  }

  function settle(changed: readonly string[]): void {
    const left = withoutChanged(errors, changed);
    setErrors(left);
    if (Object.keys(left).length === 0) setRefused(null);
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
      refuse(fields, Object.keys(fields).length === 0 ? [error.message] : rest);
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
      settle(Object.keys(changes));
    },
    changeGroup: (name, changes) => {
      const { groups } = values;
      setEdited({ ...edited, groups: { ...groups, [name]: { ...groups[name], ...changes } } });
      settle(fieldsOfGroup(name));
    },
    changeParameter: (name, value) => {
      setEditedParameters({ ...editedParameters, [owner]: { ...editedParameters[owner], [name]: value } });
      settle([app === null ? `strategy_params.${name}` : `run_config.${name}`]);
    },
    opened,
    open: (section, open) => setOpened({ ...opened, [section]: open }),
    refusals,
    submit: (event) => {
      event.preventDefault();
      const parsed = app === null ? toSpec(values, strategy, parameters) : toAppSpec(values, app, parameters);
      if (Object.keys(parsed.errors).length > 0) refuse(parsed.errors, null);
      else void send(parsed.spec);
    },
    sending,
    failure: refused === null ? null : failureWords(errors, refused),
  };
}

/** Those that the server was started with. */
function givenParameters(
  offered: RunSpec | undefined,
  app: AppInfo | null,
  strategy: RunSpec["strategy"],
): Edited {
  if (app !== null) return offered?.run_config ?? {};
  return offered?.strategy === strategy ? (offered.strategy_params ?? {}) : {};
}
