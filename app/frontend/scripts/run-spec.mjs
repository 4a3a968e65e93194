/** Makes src/api/run-spec.ts: the fields of a run's spec as the OpenAPI document declares them, for the start form. */
import { readFileSync, writeFileSync } from "node:fs";
import { URL } from "node:url";

const source = new URL("../openapi.json", import.meta.url);
const target = new URL("../src/api/run-spec.ts", import.meta.url);
const { properties } = JSON.parse(readFileSync(source, "utf8")).components.schemas.RunSpec;

/** A field without a default is a table, which is empty then. */
function fieldOf({ type, anyOf = [], description, default: standard = {} }) {
  const types = type === undefined ? anyOf.map((each) => each.type) : [type];
  return {
    number: types.includes("number") || types.includes("integer"),
    nullable: types.includes("null"),
    default: standard,
    description,
  };
}

const fields = Object.entries(properties).map(([name, property]) => [name, fieldOf(property)]);
writeFileSync(
  target,
  `/** Made by \`npm run types\`: the fields of a run's spec, with the server's defaults. */
import type { RunSpec } from "./types";

export interface SpecField {
  number: boolean;
  /** The field may be left empty. */
  nullable: boolean;
  default: unknown;
  description: string;
}

export const RUN_SPEC = ${JSON.stringify(Object.fromEntries(fields), null, 2)} as const satisfies Record<keyof RunSpec, SpecField>;
`,
);
