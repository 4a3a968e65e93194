import { describe, expect, it } from "vitest";
import { acrossBox, besideField, failureWords, splitErrors, withoutChanged } from "./errors";

const KRUM = "Krum with f = 1 needs at least 5 updates in each round. Raise min_clients to 5.";
const NO_F = "Krum's parameter f cannot be -1: it must be at least 0.";

describe("splitErrors", () => {
  it("puts messages beside their field and keeps the others", () => {
    const errors = [
      { field: "lr", message: "must be greater than 0" },
      { field: "strategy_params.proximal_mu", message: "must be at least 0" },
      { field: "run_config", message: "unknown key" },
      { field: "", message: "a client is missing" },
    ];
    expect(splitErrors(errors, new Set(["lr", "strategy_params.proximal_mu"]))).toEqual({
      fields: { lr: "must be greater than 0", "strategy_params.proximal_mu": "must be at least 0" },
      rest: ["run_config: unknown key", "a client is missing"],
    });
  });
});

describe("withoutChanged", () => {
  it.each(["strategy", "min_clients", "fraction_train", "strategy_params.f", "dp", "secure_aggregation"])(
    "takes back what was said of the strategy with %s",
    (changed) => {
      const errors = {
        min_clients: KRUM,
        strategy_params: "a",
        "strategy_params.f": "b",
        lr: "needs a number",
      };
      expect(withoutChanged(errors, [changed])).toEqual({ lr: "needs a number" });
    },
  );

  it.each([
    ["lr", ["lr"]],
    ["min_clients", ["num_partitions", "min_replies"]],
    ["iid", ["alpha"]],
    ["run_config.rate", ["run_config", "run_config.rate"]],
  ])("takes back what the server judged by %s, and nothing else", (changed, settled) => {
    const others = { seed: "x", "run_config.size": "x" };
    expect(
      withoutChanged({ ...others, ...Object.fromEntries(settled.map((field) => [field, "x"])) }, [changed]),
    ).toEqual(others);
  });
});

describe("failureWords", () => {
  it("count the values that are still marked", () => {
    expect(failureWords({ lr: "a", seed: "b" }, [])).toBe("Nothing was started: 2 values need another look.");
    expect(failureWords({ lr: "a" }, ["app: no."])).toBe(
      "Nothing was started: one value needs another look. app: no.",
    );
  });

  it("are the server's where no field is marked", () =>
    expect(failureWords({}, ["The server did not answer."])).toBe("The server did not answer."));
});

describe("a message", () => {
  it("stands beside its field if it is short", () => {
    expect(besideField("needs a number")).toBe("needs a number");
    expect(besideField(undefined)).toBeUndefined();
    expect(acrossBox({ min_clients: "needs a number" }, ["min_clients"])).toEqual([]);
  });

  it("stands across the box if it is long, and marks its field", () => {
    expect(besideField(KRUM)).toBe(true);
    const errors = {
      min_clients: KRUM,
      "strategy_params.f": NO_F,
      lr: "Too much.",
      min_clients_not: "No.",
    };
    expect(acrossBox(errors, ["strategy_params", "min_clients"])).toEqual([
      ["min_clients", KRUM],
      ["strategy_params.f", NO_F],
    ]);
  });
});
