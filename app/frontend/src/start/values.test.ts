import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { RunSpec } from "../api/types";
import { DATASETS, MODELS, STRATEGIES } from "../components/run-words";
import { DEFAULTS, splitErrors, toSpec, valuesOf } from "./values";

interface Property {
  default?: unknown;
  enum?: string[];
  $ref?: string;
  allOf?: Property[];
}
interface Schema extends Property {
  properties?: Record<string, Property>;
}

const schemas = (JSON.parse(readFileSync(new URL("../../openapi.json", import.meta.url), "utf8")) as {
  components: { schemas: Record<string, Schema> };
}).components.schemas;
const properties = schemas["RunSpec"]?.properties ?? {};

function enumOf(property: Property | undefined): string[] | undefined {
  const reference = property?.$ref ?? property?.allOf?.[0]?.$ref;
  return property?.enum ?? schemas[reference?.split("/").at(-1) ?? ""]?.enum;
}

describe("the form's defaults", () => {
  it("are the server's", () => {
    const { spec } = toSpec(DEFAULTS);
    expect(spec).not.toBeNull();
    for (const [field, value] of Object.entries(spec ?? {})) {
      const declared = properties[field];
      expect(declared, field).toHaveProperty("default");
      expect(value, field).toEqual(declared?.default);
    }
  });

  it("offer exactly the data sets, models and strategies that the server takes", () => {
    for (const [field, words] of Object.entries({ dataset: DATASETS, model: MODELS, strategy: STRATEGIES })) {
      expect(Object.keys(words).sort(), field).toEqual([...(enumOf(properties[field]) ?? [])].sort());
    }
  });
});

describe("valuesOf", () => {
  it("shows the spec that the server was started with", () => {
    const served = toSpec(DEFAULTS).spec as RunSpec;
    const values = valuesOf({ ...served, dataset: "mnist", num_rounds: 3, alpha: null, num_partitions: 8 });
    expect(values).toMatchObject({ dataset: "mnist", num_rounds: 3, iid: true, num_partitions: 8, lr: DEFAULTS.lr });
    expect(toSpec(values).spec).toMatchObject({ dataset: "mnist", num_rounds: 3, alpha: null, num_partitions: 8 });
  });

  it("shows the defaults before the server is known", () => {
    expect(valuesOf(undefined)).toEqual(DEFAULTS);
  });
});

describe("toSpec", () => {
  it("sends typed numbers as numbers, IID as no alpha, and no partitions as null", () => {
    const { spec } = toSpec({ ...DEFAULTS, lr: "0.1", iid: true, alpha: "", num_partitions: " " });
    expect(spec).toMatchObject({ lr: 0.1, alpha: null, num_partitions: null });
  });

  it("leaves ranges to the server", () => {
    expect(toSpec({ ...DEFAULTS, lr: -1 }).spec).toMatchObject({ lr: -1 });
  });

  it("names each field that is no number", () => {
    const { spec, errors } = toSpec({ ...DEFAULTS, num_rounds: "", lr: "fast", alpha: "-", num_partitions: "x" });
    expect(spec).toBeNull();
    expect(Object.keys(errors ?? {}).sort()).toEqual(["alpha", "lr", "num_partitions", "num_rounds"]);
  });
});

describe("splitErrors", () => {
  it("puts messages beside their field and keeps the others", () => {
    const errors = [
      { field: "lr", message: "must be greater than 0" },
      { field: "strategy_params", message: "unknown key" },
      { field: "", message: "a client is missing" },
    ];
    expect(splitErrors(errors)).toEqual({
      fields: { lr: "must be greater than 0" },
      rest: ["strategy_params: unknown key", "a client is missing"],
    });
  });
});
