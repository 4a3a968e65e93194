/** Settings whose names and types the server tells: a strategy's parameters, another app's run config. Pure functions. */
import type { AppInfo, Scalar, StrategyParameter } from "../api/types";
import { number } from "../format/format";

/** Number fields hold what was typed, also while it is no number yet. */
export type Typed = number | string;

/** What the reader changed, by name. */
export type Edited = Readonly<Record<string, Typed | boolean>>;

/** By field: "lr", or for a setting within another "strategy_params.proximal_mu". */
export type FieldErrors = Readonly<Record<string, string>>;

export interface Parameter {
  name: string;
  type: "number" | "integer" | "boolean" | "text";
  /** null: none, and the field may stay empty. */
  default: Scalar | null;
  /** What it means and what it may be. */
  hint: string;
}

/** What an empty field and a wrong one say. */
export const NEEDS_NUMBER = "needs a number";
const NEEDS_WHOLE = "needs a whole number";

export function parse(typed: Typed | boolean | undefined): number | null {
  const text = String(typed ?? "").trim();
  const value = Number(text);
  return text === "" || !Number.isFinite(value) ? null : value;
}

export function isEmpty(typed: Typed | boolean | undefined): boolean {
  return String(typed ?? "").trim() === "";
}

export function ofStrategy(parameters: readonly StrategyParameter[]): Parameter[] {
  return parameters.map((parameter) => ({
    name: parameter.name,
    type: parameter.type,
    default: parameter.default,
    hint: [parameter.description, boundsWords(parameter)].filter((words) => words !== "").join("; "),
  }));
}

/** "more than 0, at most 1" */
export function boundsWords({
  type,
  minimum,
  exclusive_minimum,
  maximum,
  exclusive_maximum,
}: StrategyParameter): string {
  if (type === "boolean") return "";
  const low = minimum === null ? [] : [`${exclusive_minimum ? "more than" : "at least"} ${number(minimum)}`];
  const high = maximum === null ? [] : [`${exclusive_maximum ? "less than" : "at most"} ${number(maximum)}`];
  return [...low, ...high].join(", ");
}

/**
 * All but the key that says how many rounds there are, which has a field of its own. JSON has one kind of number, so
 * that 1 may be an app's float as well: the server, which knows, judges the type.
 */
export function ofApp({ run_config, rounds_key }: AppInfo): Parameter[] {
  return Object.entries(run_config)
    .filter(([name]) => name !== rounds_key)
    .map(([name, value]) => ({ name, type: typeOf(value), default: value, hint: "" }));
}

function typeOf(value: Scalar): Parameter["type"] {
  if (typeof value === "boolean") return "boolean";
  return typeof value === "number" ? "number" : "text";
}

export function valueOf({ name, default: value }: Parameter, edited: Edited): Typed | boolean {
  return edited[name] ?? value ?? "";
}

/** All values; the errors carry the name of the field that they belong to. */
export function readParameters(
  parameters: readonly Parameter[],
  edited: Edited,
  within: string,
): { values: Record<string, Scalar>; errors: Record<string, string> } {
  const values: Record<string, Scalar> = {};
  const errors: Record<string, string> = {};
  for (const parameter of parameters) {
    const read = readOne(parameter, valueOf(parameter, edited));
    if (read.error !== undefined) errors[`${within}.${parameter.name}`] = read.error;
    else if (read.value !== undefined) values[parameter.name] = read.value;
  }
  return { values, errors };
}

function readOne(parameter: Parameter, typed: Typed | boolean): { value?: Scalar; error?: string } {
  if (parameter.type === "boolean") return { value: typed === true };
  if (parameter.type === "text") return { value: String(typed) };
  if (isEmpty(typed) && parameter.default === null) return {};
  const value = parse(typed);
  if (value === null) return { error: parameter.type === "integer" ? NEEDS_WHOLE : NEEDS_NUMBER };
  return parameter.type === "integer" && !Number.isInteger(value) ? { error: NEEDS_WHOLE } : { value };
}

/** Only what differs from the app's own config. */
export function overrides(
  parameters: readonly Parameter[],
  values: Readonly<Record<string, Scalar>>,
): Record<string, Scalar> {
  const own = new Map(parameters.map(({ name, default: value }) => [name, value]));
  return Object.fromEntries(Object.entries(values).filter(([name, value]) => own.get(name) !== value));
}
