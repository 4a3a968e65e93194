/** The start form's values and how they become a RunSpec. The server alone judges ranges; here only typing errors are caught. */
import { RUN_SPEC } from "../api/run-spec";
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

type Fields = typeof RUN_SPEC;
export type NumberField = { [F in keyof Fields]: Fields[F]["number"] extends true ? F : never }[keyof Fields];

/** A field that may be null is empty for that; `alpha` has a switch instead. */
export type FormValues = Pick<RunSpec, "dataset" | "model" | "strategy"> & { iid: boolean } & Record<
    NumberField,
    Typed
  >;

const NUMBER_FIELDS = (Object.keys(RUN_SPEC) as (keyof Fields)[]).filter(isNumber);

function isNumber(field: keyof Fields): field is NumberField {
  return RUN_SPEC[field].number;
}

/** The server's defaults, as long as nothing else is known. */
export const DEFAULTS: FormValues = {
  dataset: RUN_SPEC.dataset.default,
  model: RUN_SPEC.model.default,
  strategy: RUN_SPEC.strategy.default,
  iid: false,
  ...byNumberField((field) => RUN_SPEC[field].default ?? ""),
};

function byNumberField(valueOf: (field: NumberField) => Typed): Record<NumberField, Typed> {
  return Object.fromEntries(NUMBER_FIELDS.map((field) => [field, valueOf(field)])) as Record<
    NumberField,
    Typed
  >;
}

/** What the form shows for a spec, for example the one that the server was started with. */
export function valuesOf(spec: RunSpec | undefined): FormValues {
  if (spec === undefined) return DEFAULTS;
  const { dataset, model, strategy, alpha } = spec;
  return {
    dataset,
    model,
    strategy,
    iid: alpha === null,
    ...byNumberField((field) => spec[field] ?? ""),
    alpha: alpha ?? DEFAULTS.alpha,
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
const MAIN_FIELDS = [
  "num_rounds",
  "min_clients",
  "lr",
  "local_epochs",
  "batch_size",
  "alpha",
  "seed",
] as const satisfies readonly NumberField[];

/** Numbers that the server takes and that the form has no place for: they stand under "Advanced", with the server's words. */
export const FURTHER_FIELDS: readonly NumberField[] = NUMBER_FIELDS.filter(
  (field) => !([...MAIN_FIELDS, ...LATE_FIELDS, ...ADVANCED_FIELDS] as NumberField[]).includes(field),
);

/** What holds for a run of any app. */
function fieldsOfApp(app: AppInfo): NumberField[] {
  return [
    ...(hasRounds(app) ? (["num_rounds"] as const) : []),
    "min_clients",
    "num_partitions",
    ...LATE_FIELDS,
  ];
}

export interface Parsed {
  spec: Partial<RunSpec>;
  /** By field; empty if the spec can be sent. */
  errors: Record<string, string>;
}

/** A run of the built-in app. Parameters of the strategy as far as they are known; the server has the others' defaults. */
export function toSpec(values: FormValues, strategy: Strategy | undefined, edited: Edited): Parsed {
  const { dataset, model } = values;
  const numbers = readNumbers(values, NUMBER_FIELDS);
  const parameters = readParameters(ofStrategy(strategy?.parameters ?? []), edited, "strategy_params");
  return {
    spec: { dataset, model, strategy: values.strategy, ...numbers.spec, strategy_params: parameters.values },
    errors: { ...numbers.errors, ...parameters.errors },
  };
}

/** A run of the Flower app that the server was started with. */
export function toAppSpec(values: FormValues, app: AppInfo, edited: Edited): Parsed {
  const numbers = readNumbers(values, fieldsOfApp(app));
  const offered = ofApp(app);
  const config = readParameters(offered, edited, "run_config");
  return {
    spec: { app: app.name, ...numbers.spec, run_config: overrides(offered, config.values) },
    errors: { ...numbers.errors, ...config.errors },
  };
}

/** An app without this key decides for itself how many rounds it has. */
export function hasRounds(app: AppInfo): boolean {
  return ROUNDS_KEY in app.run_config;
}

function readNumbers(values: FormValues, fields: readonly NumberField[]): Parsed {
  const spec: Partial<Record<NumberField, number | null>> = {};
  const errors: Record<string, string> = {};
  for (const field of fields) {
    const value = field === "alpha" && values.iid ? null : parse(values[field]);
    const error = value === null ? errorOfMissing(values, field) : undefined;
    if (error === undefined) spec[field] = value;
    else errors[field] = error;
  }
  // null is only where `errorOfMissing` allows it.
  return { spec: spec as Partial<RunSpec>, errors };
}

/** Why a field may not be without a number; undefined if it may. */
function errorOfMissing(values: FormValues, field: NumberField): string | undefined {
  if (field === "alpha") return values.iid ? undefined : "needs a number, or switch IID on";
  if (!RUN_SPEC[field].nullable) return NEEDS_NUMBER;
  return isEmpty(values[field]) ? undefined : "needs a number or nothing";
}

/** The fields that the form shows, by the names that the server gives them. */
export function fieldsOf(app: AppInfo | null, strategy: Strategy | undefined): ReadonlySet<string> {
  if (app === null) {
    const own = Object.keys(DEFAULTS).filter((field) => field !== "iid");
    const parameters = (strategy?.parameters ?? []).map(({ name }) => `strategy_params.${name}`);
    return new Set([...own, "strategy_params", ...parameters]);
  }
  return new Set([...fieldsOfApp(app), "run_config", ...ofApp(app).map(({ name }) => `run_config.${name}`)]);
}
