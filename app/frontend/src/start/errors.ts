/** What was wrong with a run that was asked for, and where the form says so. Pure functions. */
import type { FieldErrors } from "./parameters";

/** Whether a strategy does with what it is given, and with enough updates, depends on all of these together. */
const OF_STRATEGY: readonly string[] = [
  "strategy",
  "strategy_params",
  "min_clients",
  "fraction_train",
  "dp",
  "secure_aggregation",
];

/** By a field: the others that the server judges by its value. */
const JUDGED_BY: Readonly<Record<string, readonly string[]>> = {
  min_clients: ["num_partitions", "min_replies"],
  iid: ["alpha"],
};

/** Splits the server's complaints into those that belong to a field of the form and the rest, as sentences. */
export function splitErrors(
  errors: readonly { field: string; message: string }[],
  fields: ReadonlySet<string>,
): { fields: Record<string, string>; rest: string[] } {
  const beside: Record<string, string> = {};
  const rest: string[] = [];
  for (const { field, message } of errors) {
    if (fields.has(field)) beside[field] = message;
    else rest.push(field === "" ? message : `${field}: ${message}`);
  }
  return { fields: beside, rest };
}

/** The errors that still hold when the values of some fields have changed. */
export function withoutChanged(errors: FieldErrors, changed: readonly string[]): FieldErrors {
  const settled = new Set(changed.flatMap((field) => [field, groupOf(field), ...(JUDGED_BY[field] ?? [])]));
  const strategy = changed.some(isOfStrategy);
  return Object.fromEntries(
    Object.entries(errors).filter(([field]) => !settled.has(field) && !(strategy && isOfStrategy(field))),
  );
}

function isOfStrategy(field: string): boolean {
  return OF_STRATEGY.includes(groupOf(field));
}

/** "strategy_params" of "strategy_params.proximal_mu"; of a field that stands in no other, itself. */
function groupOf(field: string): string {
  return field.split(".", 1)[0] ?? field;
}

/** Where every complaint stands beside its field, repeating them would only hide which is which. */
export function failureWords(errors: FieldErrors, rest: readonly string[]): string {
  const marked = Object.keys(errors).length;
  if (marked === 0) return rest.join(" ");
  const start = `Nothing was started: ${marked === 1 ? "one value needs" : `${marked} values need`} another look.`;
  return [start, ...rest].join(" ");
}

/** Characters of a message that a field's column has room for. */
const COLUMN = 48;

/** What a field says itself: a message that needs more room than its column has only marks it. */
export function besideField(message: string | undefined): string | true | undefined {
  return message !== undefined && isLong(message) ? true : message;
}

/** The long messages about these fields, and about what stands within them, for the box that they belong to. */
export function acrossBox(
  errors: FieldErrors,
  fields: readonly string[],
): [field: string, message: string][] {
  const belongs = (field: string): boolean =>
    fields.some((each) => field === each || field.startsWith(`${each}.`));
  return Object.entries(errors).filter(([field, message]) => belongs(field) && isLong(message));
}

function isLong(message: string): boolean {
  return message.length > COLUMN;
}
