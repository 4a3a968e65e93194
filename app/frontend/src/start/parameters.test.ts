import { describe, expect, it } from "vitest";
import { parameter } from "../testing/fixtures";
import { boundsWords, ofApp, ofStrategy, overrides, readParameters, valueOf } from "./parameters";

const info = {
  name: "quickstart",
  version: "1.0.0",
  digest: "ab",
  run_config: { "num-server-rounds": 3, lr: 0.1, "local-epochs": 1, "use-gpu": false, model: "cnn" },
  rounds_key: "num-server-rounds",
};

describe("a strategy's parameters", () => {
  it("say what they mean and what they may be", () => {
    expect(ofStrategy([parameter()])[0]?.hint).toBe("weight of the proximal term; at least 0");
    expect(boundsWords(parameter({ exclusive_minimum: true, maximum: 1 }))).toBe("more than 0, at most 1");
    expect(boundsWords(parameter({ minimum: null, maximum: 0.5, exclusive_maximum: true }))).toBe(
      "less than 0.5",
    );
    expect(boundsWords(parameter({ minimum: null }))).toBe("");
    expect(boundsWords(parameter({ type: "boolean" }))).toBe("");
  });

  it("are read by their types", () => {
    const parameters = ofStrategy([
      parameter(),
      parameter({ name: "keep", type: "integer", default: 2 }),
      parameter({ name: "fast", type: "boolean", default: true }),
    ]);
    expect(readParameters(parameters, { proximal_mu: "0.5", fast: false }, "strategy_params")).toEqual({
      values: { proximal_mu: 0.5, keep: 2, fast: false },
      errors: {},
    });
  });

  it("name the field that is no number, or no whole one", () => {
    const parameters = ofStrategy([parameter(), parameter({ name: "keep", type: "integer", default: 2 })]);
    expect(readParameters(parameters, { proximal_mu: "much", keep: 2.5 }, "strategy_params").errors).toEqual({
      "strategy_params.proximal_mu": "needs a number",
      "strategy_params.keep": "needs a whole number",
    });
    expect(readParameters(parameters, { proximal_mu: "" }, "strategy_params").errors).toHaveProperty([
      "strategy_params.proximal_mu",
    ]);
  });

  it("may stay empty where the server chooses for itself", () => {
    const parameters = ofStrategy([parameter({ default: null })]);
    expect(readParameters(parameters, {}, "strategy_params")).toEqual({ values: {}, errors: {} });
    expect(parameters.map((parameter) => valueOf(parameter, {}))).toEqual([""]);
  });
});

describe("another app's run config", () => {
  const parameters = ofApp(info);

  it("is offered by the types of its values, without the number of rounds", () => {
    expect(parameters.map(({ name, type }) => [name, type])).toEqual([
      ["lr", "number"],
      ["local-epochs", "number"],
      ["use-gpu", "boolean"],
      ["model", "text"],
    ]);
  });

  it("is sent only where it differs", () => {
    const { values } = readParameters(parameters, { lr: "0.10", "use-gpu": true, model: "" }, "run_config");
    expect(overrides(parameters, values)).toEqual({ "use-gpu": true, model: "" });
  });
});
