/** Makes src/api/run-spec.ts: the fields of a run's spec as the OpenAPI document declares them, for the start form. */
import { readFileSync, writeFileSync } from "node:fs";
import { URL } from "node:url";

const source = new URL("../openapi.json", import.meta.url);
const target = new URL("../src/api/run-spec.ts", import.meta.url);
const { schemas } = JSON.parse(readFileSync(source, "utf8")).components;

/** A field without a default is a table, which is empty then. */
function fieldOf({ type, anyOf = [], $ref, default: standard = {}, "x-form": form = null }) {
  const types = type === undefined ? anyOf.map((each) => each.type) : [type];
  const referred = [$ref, ...anyOf.map((each) => each.$ref)].find((each) => each !== undefined);
  const { enum: choices = [], properties } = schemas[referred?.split("/").at(-1)] ?? {};
  const within = properties === undefined ? {} : { within: fieldsOf(properties) };
  const kind = properties === undefined ? kindOf(types, choices) : "group";
  return { kind, nullable: types.includes("null"), default: standard, choices, form, ...within };
}

function fieldsOf(properties) {
  return Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, fieldOf(each)]));
}

function kindOf(types, choices) {
  if (choices.length > 0) return "choice";
  if (types.includes("boolean")) return "switch";
  return types.includes("number") || types.includes("integer") ? "number" : "other";
}

const fields = fieldsOf(schemas.RunSpec.properties);
writeFileSync(
  target,
  `/** Made by \`npm run types\`: the fields of a run's spec, with the server's defaults and how a form asks for them. */
import type { RunSpec } from "./types";

export interface SpecField {
  kind: "number" | "choice" | "switch" | "group" | "other";
  /** The field may be left empty. */
  nullable: boolean;
  default: unknown;
  /** Of a choice; else none. */
  choices: readonly string[];
  /** null: the form has no field of its own for it. */
  form: FieldForm | null;
  /** The settings that a group holds. */
  within?: Readonly<Record<string, SpecField>>;
}

export interface FieldForm {
  group: "main" | "late" | "privacy" | "advanced" | "engine";
  /** Its place among all fields. */
  order: number;
  title: string;
  /** It is about the run and its clients, whatever they train. */
  any_app: boolean;
  step?: number;
  /** What the field begins with, where that is not the default. */
  suggested?: number;
  unit?: string;
  /** Stands below the field. */
  hint?: string;
  /** What an empty field means. */
  null?: string;
}

export const RUN_SPEC = ${JSON.stringify(fields)} as const satisfies Record<keyof RunSpec, SpecField>;
`,
);
