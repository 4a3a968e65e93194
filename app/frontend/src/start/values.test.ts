import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { AppInfo } from "../api/types";
import { DATASETS, MODELS } from "../runs/spec-words";
import { parameter, spec as anySpec, strategy } from "../testing/fixtures";
import { DEFAULTS, fieldsOf, toAppSpec, toSpec, valuesOf } from "./values";

interface Property {
  default?: unknown;
  enum?: string[];
  $ref?: string;
  allOf?: Property[];
}
interface Schema extends Property {
  properties?: Record<string, Property>;
}

const schemas = (
  JSON.parse(readFileSync(new URL("../../openapi.json", import.meta.url), "utf8")) as {
    components: { schemas: Record<string, Schema> };
  }
).components.schemas;
const properties = schemas.RunSpec?.properties ?? {};

function enumOf(property: Property | undefined): string[] | undefined {
  const reference = property?.$ref ?? property?.allOf?.[0]?.$ref;
  return property?.enum ?? schemas[reference?.split("/").at(-1) ?? ""]?.enum;
}

const fedprox = strategy({ name: "fedprox", title: "FedProx", parameters: [parameter()] });
const app: AppInfo = {
  name: "quickstart",
  version: "1.0.0",
  digest: "ab",
  run_config: { "num-server-rounds": 3, lr: 0.1 },
  rounds_key: "num-server-rounds",
};

describe("the form's defaults", () => {
  it("are the server's", () => {
    const { spec, errors } = toSpec(DEFAULTS, undefined, {});
    expect(errors).toEqual({});
    const { strategy_params, ...others } = spec;
    expect(strategy_params).toEqual({});
    for (const [field, value] of Object.entries(others)) {
      const declared = properties[field];
      expect(declared, field).toHaveProperty("default");
      expect(value, field).toEqual(declared?.default);
    }
  });

  it("leave out no field that the server takes", () => {
    const sent = { ...toSpec(DEFAULTS, undefined, {}).spec, ...toAppSpec(DEFAULTS, app, {}).spec };
    expect(Object.keys(sent).sort()).toEqual(Object.keys(properties).sort());
  });

  it("offer exactly the data sets and models that the server takes", () => {
    for (const [field, words] of Object.entries({ dataset: DATASETS, model: MODELS })) {
      expect(Object.keys(words).sort(), field).toEqual([...(enumOf(properties[field]) ?? [])].sort());
    }
  });
});

describe("valuesOf", () => {
  it("shows the spec that the server was started with", () => {
    const served = anySpec({
      dataset: "mnist",
      num_rounds: 3,
      alpha: null,
      num_partitions: 8,
      round_timeout_s: 60,
    });
    const values = valuesOf(served);
    expect(values).toMatchObject({
      dataset: "mnist",
      num_rounds: 3,
      iid: true,
      num_partitions: 8,
      round_timeout_s: 60,
      lr: DEFAULTS.lr,
    });
    const builtIn: Partial<typeof served> = { ...served };
    delete builtIn.app;
    delete builtIn.run_config;
    expect(toSpec(values, undefined, {}).spec).toEqual(builtIn);
  });

  it("shows the defaults before the server is known", () => {
    expect(valuesOf(undefined)).toEqual(DEFAULTS);
  });
});

describe("toSpec", () => {
  it("sends typed numbers as numbers, IID as no alpha, and what is empty as null", () => {
    const { spec } = toSpec(
      { ...DEFAULTS, lr: "0.1", iid: true, alpha: "", num_partitions: " ", round_timeout_s: "" },
      undefined,
      {},
    );
    expect(spec).toMatchObject({ lr: 0.1, alpha: null, num_partitions: null, round_timeout_s: null });
  });

  it("sends the strategy with its parameters", () => {
    expect(toSpec({ ...DEFAULTS, strategy: "fedprox" }, fedprox, { proximal_mu: "0.5" }).spec).toMatchObject({
      strategy: "fedprox",
      strategy_params: { proximal_mu: 0.5 },
    });
    expect(toSpec(DEFAULTS, fedprox, { proximal_mu: "" }).errors).toEqual({
      "strategy_params.proximal_mu": "needs a number",
    });
  });

  it("asks to stop at the first budget only where budgets are spent", () => {
    const stops = { ...DEFAULTS, stop_at_first_budget: true };
    const dp = { ...DEFAULTS.groups.dp, on: true };
    expect(toSpec(stops, undefined, {}).spec.stop_at_first_budget).toBe(false);
    const private_ = { ...stops, groups: { ...DEFAULTS.groups, dp } };
    expect(toSpec(private_, undefined, {}).spec.stop_at_first_budget).toBe(true);
  });

  it("leaves ranges to the server", () => {
    expect(toSpec({ ...DEFAULTS, lr: -1 }, undefined, {}).spec).toMatchObject({ lr: -1 });
  });

  it("names each field that is no number", () => {
    const wrong = {
      ...DEFAULTS,
      num_rounds: "",
      lr: "fast",
      alpha: "-",
      num_partitions: "x",
      round_timeout_s: "long",
    };
    expect(Object.keys(toSpec(wrong, undefined, {}).errors).sort()).toEqual([
      "alpha",
      "lr",
      "num_partitions",
      "num_rounds",
      "round_timeout_s",
    ]);
  });
});

describe("toAppSpec", () => {
  it("sends the app, what differs from its config, and nothing about training", () => {
    expect(toAppSpec({ ...DEFAULTS, num_rounds: "5" }, app, { lr: 0.2 })).toEqual({
      spec: {
        app: "quickstart",
        run_config: { lr: 0.2 },
        num_rounds: 5,
        min_clients: 2,
        num_partitions: null,
        round_timeout_s: null,
        min_replies: 1,
        min_reply_share: 0,
      },
      errors: {},
    });
  });

  it("sends no rounds to an app that has none", () => {
    expect(toAppSpec(DEFAULTS, { ...app, rounds_key: null }, {}).spec).not.toHaveProperty("num_rounds");
  });

  it("names each field that is no number", () => {
    expect(toAppSpec({ ...DEFAULTS, min_clients: "" }, app, { lr: "fast" }).errors).toEqual({
      min_clients: "needs a number",
      "run_config.lr": "needs a number",
    });
  });
});

describe("fieldsOf", () => {
  it("knows the fields of another app", () => {
    expect([...fieldsOf(app, undefined)]).toEqual([
      "num_rounds",
      "min_clients",
      "num_partitions",
      "round_timeout_s",
      "min_replies",
      "min_reply_share",
      "run_config",
      "run_config.lr",
    ]);
  });

  it("knows the parameters of the chosen strategy", () => {
    expect(fieldsOf(null, fedprox)).toContain("strategy_params.proximal_mu");
    expect(fieldsOf(null, undefined)).not.toContain("strategy_params.proximal_mu");
  });
});
