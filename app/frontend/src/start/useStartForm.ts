import { type SyntheticEvent, useState } from "react";
import { useLocation } from "wouter";
import { RequestFailed } from "../api/http";
import { createRun } from "../api/requests";
import type { AppInfo, RunSpec, Strategy } from "../api/types";
import { useStore } from "../store/store";
import { failureWords, splitErrors, withoutChanged } from "./errors";
import { NO_DRAFT, useDraft } from "./draft";
import type { Edited, FieldErrors, Typed } from "./parameters";
import { choicesIn, type GroupName, GROUPS, numbersIn } from "./spec-fields";
import {
  fieldsOf,
  fieldsOfGroup,
  type FormValues,
  type GroupValues,
  type Parsed,
  toAppSpec,
  toSpec,
  valuesOf,
  withDefaults,
} from "./values";

export type Section = "late" | "privacy" | "advanced" | "engine";

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
  /** What would be sent, and what of it cannot be. */
  parsed: Parsed;
  /** The fields that the form shows, by the server's names. */
  knownFields: ReadonlySet<string>;
  /** Takes all values from a spec; what it does not say has the server's default. */
  fill: (spec: Partial<RunSpec>) => void;
  /** Something differs from what the form began with. */
  isDraft: boolean;
  startOver: () => void;
  /** How often a run was refused, by the form itself or by the server. */
  refusals: number;
  submit: (event: SyntheticEvent) => void;
  sending: boolean;
  failure: string | null;
}

interface StartFormInput {
  app: AppInfo | null;
  strategies: readonly Strategy[];
}

const ENGINE_FIELDS = [...choicesIn("engine"), ...numbersIn("engine")];

const CLOSED: Readonly<Record<Section, boolean>> = {
  late: false,
  privacy: false,
  advanced: false,
  engine: false,
};

export function useStartForm({ app, strategies }: StartFormInput): StartForm {
  const offered = useStore(({ server }) => server.status?.default_spec);
  const [{ edited, editedParameters }, setDraft] = useDraft(app?.name ?? null);
  const [errors, setErrors] = useState<FieldErrors>({});
  /** What the server said that belongs to no field; null while it has refused nothing. */
  const [refused, setRefused] = useState<readonly string[] | null>(null);
  const [sending, setSending] = useState(false);
  const [, go] = useLocation();
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
      engine: opened.engine || ENGINE_FIELDS.some((field) => fields[field] !== undefined),
    });
    if (Object.keys(fields).length > 0 || rest !== null) setRefusals(refusals + 1);
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
      setDraft(NO_DRAFT);
      go("/");
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      const { fields, rest } = splitErrors(error.fields, fieldsOf(app, strategy));
      refuse(fields, Object.keys(fields).length === 0 ? [error.message] : rest);
    } finally {
      setSending(false);
    }
  }

  const parsed = app === null ? toSpec(values, strategy, parameters) : toAppSpec(values, app, parameters);

  return {
    values,
    parameters,
    errors,
    parsed,
    knownFields: fieldsOf(app, strategy),
    isDraft: Object.keys(edited).length + Object.keys(editedParameters).length > 0,
    startOver: () => {
      setDraft(NO_DRAFT);
      refuse({}, null);
    },
    fill: (spec) => {
      const whole = withDefaults(spec);
      const own = app === null ? whole.strategy_params : whole.run_config;
      setDraft({
        edited: valuesOf(whole),
        editedParameters: { [app?.name ?? whole.strategy]: own ?? {} },
      });
      refuse({}, null);
    },
    change: (changes) => {
      setDraft({ edited: { ...edited, ...changes }, editedParameters });
      settle(Object.keys(changes));
    },
    changeGroup: (name, changes) => {
      const { groups } = values;
      setDraft({
        edited: { ...edited, groups: { ...groups, [name]: { ...groups[name], ...changes } } },
        editedParameters,
      });
      settle(fieldsOfGroup(name));
    },
    changeParameter: (name, value) => {
      const own = { ...editedParameters[owner], [name]: value };
      setDraft({ edited, editedParameters: { ...editedParameters, [owner]: own } });
      settle([app === null ? `strategy_params.${name}` : `run_config.${name}`]);
    },
    opened,
    open: (section, open) => setOpened({ ...opened, [section]: open }),
    refusals,
    submit: (event) => {
      event.preventDefault();
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
