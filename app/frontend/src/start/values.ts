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
  type Typed,
} from "./parameters";
import {
  type ChoiceName,
  CHOICES,
  formOf,
  type GroupName,
  GROUPS,
  isLate,
  type NumberName,
  NUMBERS,
  type SwitchName,
  SWITCHES,
  withinGroup,
} from "./spec-fields";

/** A field that may be null is empty for that; `alpha` has a switch instead. */
export type FormValues = Chosen & Record<NumberName, Typed> & { iid: boolean; groups: Groups };

export type Groups = Readonly<Record<GroupName, GroupValues>>;

/** A group keeps its values while it is off. */
export interface GroupValues {
  on: boolean;
  values: Readonly<Record<string, Typed>>;
}

/** What is taken as it is. */
type Chosen = Pick<RunSpec, ChoiceName | SwitchName>;

const NEEDS_NUMBER_OR_NOTHING = "needs a number or nothing";

const DEFAULT_SPEC = Object.fromEntries(
  Object.entries(RUN_SPEC).map(([name, field]) => [name, field.default]),
) as unknown as RunSpec;

/** A spec as the server takes it when some of it is not said. */
export function withDefaults(spec: Partial<RunSpec>): RunSpec {
  return { ...DEFAULT_SPEC, ...spec };
}

/** What the form shows for a spec, for example the one that the server was started with; without one, the server's defaults. */
export function valuesOf(spec: RunSpec = DEFAULT_SPEC): FormValues {
  const numbers = NUMBERS.map((name) => [name, spec[name] ?? ""] as const);
  return {
    ...chosenIn(spec),
    ...(Object.fromEntries(numbers) as Record<NumberName, Typed>),
    alpha: spec.alpha ?? RUN_SPEC.alpha.default,
    iid: spec.alpha === null,
    groups: Object.fromEntries(GROUPS.map((name) => [name, groupIn(spec, name)])) as Groups,
  };
}

function groupIn(spec: RunSpec, name: GroupName): GroupValues {
  const given: Readonly<Record<string, number | null | undefined>> | null = spec[name]
    ? { ...spec[name] }
    : null;
  const values = withinGroup(name).map(([each, field, form]) => {
    const standard = form.suggested ?? (field.default as number | null);
    return [each, (given === null ? standard : given[each]) ?? ""] as const;
  });
  return { on: given !== null, values: Object.fromEntries(values) };
}

export const DEFAULTS: FormValues = valuesOf();

function chosenIn(values: Chosen): Chosen {
  return Object.fromEntries(
    [...CHOICES, ...SWITCHES].map((name) => [name, values[name]]),
  ) as unknown as Chosen;
}

/** The fields of a run of another app: what holds for any, those about late clients last. */
export function numbersOfApp(app: AppInfo): NumberName[] {
  const numbers = NUMBERS.filter((name) => formOf(name).any_app && (name !== "num_rounds" || hasRounds(app)));
  return [...numbers.filter((name) => !isLate(name)), ...numbers.filter(isLate)];
}

export interface Parsed {
  spec: Partial<RunSpec>;
  /** By field; empty if the spec can be sent. */
  errors: Record<string, string>;
}

/** A run of the built-in app. Parameters of the strategy as far as they are known; the server has the others' defaults. */
export function toSpec(values: FormValues, strategy: Strategy | undefined, edited: Edited): Parsed {
  const numbers = readNumbers(values, NUMBERS);
  const parameters = readParameters(ofStrategy(strategy?.parameters ?? []), edited, "strategy_params");
  const groups = readGroups(values.groups);
  const chosen = { ...chosenIn(values), stop_at_first_budget: stopsAtFirstBudget(values) };
  return {
    spec: { ...chosen, ...numbers.spec, ...groups.spec, strategy_params: parameters.values },
    errors: { ...numbers.errors, ...groups.errors, ...parameters.errors },
  };
}

/** Without differential privacy no budget is spent. */
function stopsAtFirstBudget({ stop_at_first_budget, groups }: FormValues): boolean {
  return stop_at_first_budget && groups.dp.on;
}

/** Each as a whole, or null for one that is off. */
function readGroups(groups: Groups): Parsed {
  const spec: Record<string, Record<string, number | null> | null> = {};
  const errors: Record<string, string> = {};
  for (const name of GROUPS) {
    const { on, values } = groups[name];
    const read: Record<string, number | null> = {};
    for (const [each, { nullable }] of on ? withinGroup(name) : []) {
      read[each] = parse(values[each]);
      if (read[each] === null && !(nullable && isEmpty(values[each]))) {
        errors[`${name}.${each}`] = nullable ? NEEDS_NUMBER_OR_NOTHING : NEEDS_NUMBER;
      }
    }
    spec[name] = on ? read : null;
  }
  return { spec, errors };
}

/** A run of the Flower app that the server was started with. */
export function toAppSpec(values: FormValues, app: AppInfo, edited: Edited): Parsed {
  const numbers = readNumbers(values, numbersOfApp(app));
  const offered = ofApp(app);
  const config = readParameters(offered, edited, "run_config");
  return {
    spec: { app: app.name, ...numbers.spec, run_config: overrides(offered, config.values) },
    errors: { ...numbers.errors, ...config.errors },
  };
}

/** An app without this key decides for itself how many rounds it has. */
export function hasRounds(app: AppInfo): boolean {
  return app.rounds_key !== null;
}

function readNumbers(values: FormValues, fields: readonly NumberName[]): Parsed {
  const spec: Partial<Record<NumberName, number | null>> = {};
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
function errorOfMissing(values: FormValues, field: NumberName): string | undefined {
  if (field === "alpha") return values.iid ? undefined : "needs a number, or switch IID on";
  if (!RUN_SPEC[field].nullable) return NEEDS_NUMBER;
  return isEmpty(values[field]) ? undefined : NEEDS_NUMBER_OR_NOTHING;
}

/** The group itself, and the settings that it holds. */
export function fieldsOfGroup(name: GroupName): string[] {
  return [name, ...withinGroup(name).map(([each]) => `${name}.${each}`)];
}

/** The fields that the form shows, by the names that the server gives them. */
export function fieldsOf(app: AppInfo | null, strategy: Strategy | undefined): ReadonlySet<string> {
  if (app === null) {
    const own = Object.keys(DEFAULTS).filter((field) => field !== "iid" && field !== "groups");
    const parameters = (strategy?.parameters ?? []).map(({ name }) => `strategy_params.${name}`);
    return new Set([...own, ...GROUPS.flatMap(fieldsOfGroup), "strategy_params", ...parameters]);
  }
  return new Set([...numbersOfApp(app), "run_config", ...ofApp(app).map(({ name }) => `run_config.${name}`)]);
}
