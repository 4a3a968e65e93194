/** The start form's values and how they become a RunSpec. The server alone judges ranges; here only typing errors are caught. */
import type { AppInfo, RunSpec, Strategy } from "../api/types";
import {
  type Edited,
  isEmpty,
  NEEDS_NUMBER,
  ofApp,
  ofStrategy,
  overrides,
  parse,
  readParameters,
  ROUNDS_KEY,
  type Typed,
} from "./parameters";

export interface FormValues {
  dataset: RunSpec["dataset"];
  model: RunSpec["model"];
  strategy: RunSpec["strategy"];
  iid: boolean;
  num_rounds: Typed;
  min_clients: Typed;
  alpha: Typed;
  lr: Typed;
  local_epochs: Typed;
  batch_size: Typed;
  seed: Typed;
  /** Empty: as many parts as clients at the start. */
  num_partitions: Typed;
  fraction_train: Typed;
  fraction_evaluate: Typed;
  /** Empty: a round waits as long as it takes. */
  round_timeout_s: Typed;
  min_replies: Typed;
  min_reply_share: Typed;
  keep_checkpoints: Typed;
}

export type NumberField = Exclude<keyof FormValues, "dataset" | "model" | "strategy" | "iid">;

/** The same defaults as the server's; a test compares them with openapi.json. */
export const DEFAULTS: FormValues = {
  dataset: "digits",
  model: "cnn",
  strategy: "fedavg",
  iid: false,
  num_rounds: 10,
  min_clients: 2,
  alpha: 0.5,
  lr: 0.05,
  local_epochs: 1,
  batch_size: 32,
  seed: 0,
  num_partitions: "",
  fraction_train: 1,
  fraction_evaluate: 1,
  round_timeout_s: "",
  min_replies: 1,
  min_reply_share: 0,
  keep_checkpoints: 3,
};

/** What the form shows for a spec, for example the one that the server was started with. */
export function valuesOf(spec: RunSpec | undefined): FormValues {
  if (spec === undefined) return DEFAULTS;
  const {
    app: _app,
    run_config: _config,
    strategy_params: _params,
    alpha,
    num_partitions,
    round_timeout_s,
    ...same
  } = spec;
  return {
    ...DEFAULTS,
    ...same,
    alpha: alpha ?? DEFAULTS.alpha,
    iid: alpha === null,
    num_partitions: num_partitions ?? "",
    round_timeout_s: round_timeout_s ?? "",
  };
}

/** Fields that stand in the collapsed parts of the form. */
export const LATE_FIELDS = [
  "round_timeout_s",
  "min_replies",
  "min_reply_share",
] as const satisfies readonly NumberField[];
export const ADVANCED_FIELDS = [
  "num_partitions",
  "fraction_train",
  "fraction_evaluate",
  "keep_checkpoints",
] as const satisfies readonly NumberField[];

const LATE_NUMBERS = ["min_replies", "min_reply_share"] as const;
const BUILT_IN_NUMBERS = [
  "num_rounds",
  "min_clients",
  "lr",
  "local_epochs",
  "batch_size",
  "seed",
  "fraction_train",
  "fraction_evaluate",
  "keep_checkpoints",
] as const;

export interface Parsed {
  spec: Partial<RunSpec>;
  /** By field; empty if the spec can be sent. */
  errors: Record<string, string>;
}

/** A run of the built-in app. Parameters of the strategy as far as they are known; the server has the others' defaults. */
export function toSpec(values: FormValues, strategy: Strategy | undefined, edited: Edited): Parsed {
  const { dataset, model } = values;
  const spec: Partial<RunSpec> = { dataset, model, strategy: values.strategy };
  const errors: Record<string, string> = {};
  readNumbers(values, [...BUILT_IN_NUMBERS, ...LATE_NUMBERS], spec, errors);
  readOptional(values, "num_partitions", spec, errors);
  readOptional(values, "round_timeout_s", spec, errors);
  spec.alpha = values.iid ? null : parse(values.alpha);
  if (!values.iid && spec.alpha === null) errors["alpha"] = "needs a number, or switch IID on";
  const parameters = readParameters(ofStrategy(strategy?.parameters ?? []), edited, "strategy_params");
  spec.strategy_params = parameters.values;
  return { spec, errors: { ...errors, ...parameters.errors } };
}

/** A run of the Flower app that the server was started with. */
export function toAppSpec(values: FormValues, app: AppInfo, edited: Edited): Parsed {
  const spec: Partial<RunSpec> = { app: app.name };
  const errors: Record<string, string> = {};
  readNumbers(
    values,
    [...(hasRounds(app) ? (["num_rounds"] as const) : []), "min_clients", ...LATE_NUMBERS],
    spec,
    errors,
  );
  readOptional(values, "num_partitions", spec, errors);
  readOptional(values, "round_timeout_s", spec, errors);
  const offered = ofApp(app);
  const config = readParameters(offered, edited, "run_config");
  spec.run_config = overrides(offered, config.values);
  return { spec, errors: { ...errors, ...config.errors } };
}

/** An app without this key decides for itself how many rounds it has. */
export function hasRounds(app: AppInfo): boolean {
  return ROUNDS_KEY in app.run_config;
}

type RequiredNumber = (typeof BUILT_IN_NUMBERS)[number] | (typeof LATE_NUMBERS)[number];

function readNumbers(
  values: FormValues,
  fields: readonly RequiredNumber[],
  spec: Partial<RunSpec>,
  errors: Record<string, string>,
): void {
  for (const field of fields) {
    const value = parse(values[field]);
    if (value === null) errors[field] = NEEDS_NUMBER;
    else spec[field] = value;
  }
}

function readOptional(
  values: FormValues,
  field: "num_partitions" | "round_timeout_s",
  spec: Partial<RunSpec>,
  errors: Record<string, string>,
): void {
  const value = parse(values[field]);
  if (value === null && !isEmpty(values[field])) errors[field] = "needs a number or nothing";
  spec[field] = value;
}

/** The fields that the form shows, by the names that the server gives them. */
export function fieldsOf(app: AppInfo | null, strategy: Strategy | undefined): ReadonlySet<string> {
  if (app === null) {
    const own = Object.keys(DEFAULTS).filter((field) => field !== "iid");
    const parameters = (strategy?.parameters ?? []).map(({ name }) => `strategy_params.${name}`);
    return new Set([...own, "strategy_params", ...parameters]);
  }
  return new Set([
    ...(hasRounds(app) ? ["num_rounds"] : []),
    "min_clients",
    "num_partitions",
    ...LATE_FIELDS,
    "run_config",
    ...ofApp(app).map(({ name }) => `run_config.${name}`),
  ]);
}
