/** The fields that the form has for a run's spec, as the server declares them. */
import { type FieldForm, RUN_SPEC, type SpecField } from "../api/run-spec";

type Fields = typeof RUN_SPEC;
type OfKind<Kind extends SpecField["kind"]> = {
  [Name in keyof Fields]: Fields[Name]["kind"] extends Kind ? Name : never;
}[keyof Fields];

export type NumberName = OfKind<"number">;
export type ChoiceName = OfKind<"choice">;
export type SwitchName = OfKind<"switch">;
/** Settings that a run has together, or not at all. */
export type GroupName = OfKind<"group">;
export type FieldName = NumberName | ChoiceName | SwitchName | GroupName;

const FIELDS: Readonly<Record<keyof Fields, SpecField>> = RUN_SPEC;

/** How the form asks for a field. Throws for one that it does not ask for. */
export function formOf(name: FieldName): FieldForm {
  const { form } = FIELDS[name];
  if (form === null) throw new Error(`the form has no field for ${name}`);
  return form;
}

/** By their place in the form. */
export const NUMBERS = offered().filter((name): name is NumberName => FIELDS[name].kind === "number");
export const CHOICES = offered().filter((name): name is ChoiceName => FIELDS[name].kind === "choice");
export const GROUPS = offered().filter((name): name is GroupName => FIELDS[name].kind === "group");
export const SWITCHES = offered().filter((name): name is SwitchName => FIELDS[name].kind === "switch");

function offered(): FieldName[] {
  return (Object.keys(FIELDS) as (keyof Fields)[])
    .filter((name): name is FieldName => FIELDS[name].kind !== "other" && FIELDS[name].form !== null)
    .sort((a, b) => formOf(a).order - formOf(b).order);
}

/** The settings that a group holds, which are numbers, by their place in the form. */
export function withinGroup(name: GroupName): (readonly [name: string, field: SpecField, form: FieldForm])[] {
  return Object.entries(FIELDS[name].within ?? {})
    .flatMap(([each, field]) => (field.form === null ? [] : [[each, field, field.form] as const]))
    .sort(([, , a], [, , b]) => a.order - b.order);
}

/** In sight, or under one of the headings that open. */
export function numbersIn(group: FieldForm["group"]): NumberName[] {
  return NUMBERS.filter((name) => formOf(name).group === group);
}

/** The same of choices. */
export function choicesIn(group: FieldForm["group"]): ChoiceName[] {
  return CHOICES.filter((name) => formOf(name).group === group);
}

export function isLate(name: NumberName): boolean {
  return formOf(name).group === "late";
}
