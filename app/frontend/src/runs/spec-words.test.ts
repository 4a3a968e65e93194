import { describe, expect, it } from "vitest";
import { titlesOf } from "../strategies/titles";
import { run, spec, strategy } from "../testing/fixtures";
import { lateWords, settingsLines, specAgain, specWords } from "./spec-words";

const mnist = spec({ dataset: "mnist" });
const app = spec({ app: "quickstart-numpy", run_config: { lr: 0.1, "use-gpu": false } });
const titleOf = titlesOf([
  strategy(),
  strategy({ name: "multikrum", title: "Multi-Krum" }),
  strategy({ name: "fedprox", title: "FedProx" }),
]);

describe("lateWords", () => {
  it.each([
    [
      { round_timeout_s: null, min_replies: 1, min_reply_share: 0 },
      "a round waits for every client and needs at least 1 reply",
    ],
    [
      { round_timeout_s: 60, min_replies: 2, min_reply_share: 0 },
      "after 60 s a round goes on with at least 2 replies",
    ],
    [
      { round_timeout_s: 60, min_replies: 1, min_reply_share: 0.5 },
      "after 60 s a round goes on with at least 50 % of those asked",
    ],
    [
      { round_timeout_s: 60, min_replies: 3, min_reply_share: 0.5 },
      "after 60 s a round goes on with at least 3 replies and 50 % of those asked",
    ],
  ])("tells what a round does without some of its clients (%#)", (policy, words) =>
    expect(lateWords(policy)).toBe(words),
  );
});

describe("specAgain", () => {
  it("asks for the same, but for no rounds where the app decides about them", () => {
    expect(specAgain({ spec: app, num_rounds: 10 })).toEqual(app);
    expect(specAgain({ spec: app, num_rounds: null })).not.toHaveProperty("num_rounds");
    expect(specAgain({ spec: app, num_rounds: null })).toMatchObject({ app: "quickstart-numpy" });
  });
});

describe("a run's settings", () => {
  it("tell the split of the data", () => {
    expect(specWords(mnist, titleOf)).toBe("MNIST · CNN · FedAvg · α 0.5");
    expect(specWords({ ...mnist, alpha: null, strategy: "multikrum" }, titleOf)).toBe(
      "MNIST · CNN · Multi-Krum · IID",
    );
  });

  it("tell another app and what was changed in its config", () => {
    expect(specWords(app, titleOf)).toBe("quickstart-numpy · lr 0.1 · use-gpu false");
    expect(settingsLines(run({ spec: app })).join("\n")).not.toContain("learning rate");
  });

  it("tell that clients count by their samples in a masked sum, or once where they share its noise", () => {
    const secure_aggregation = { threshold: 0.7, neighbours: 100, bits: 32, range: 4, max_samples: 100_000 };
    const lines = (strategy: "fedavg" | "dpfedavg-fixed"): string =>
      settingsLines(run({ spec: spec({ strategy, secure_aggregation }) })).join("\n");
    expect(lines("fedavg")).toContain("range ±4, at most 100,000 samples count");
    expect(lines("dpfedavg-fixed")).toContain(
      "range ±4, each client counts once and adds its part of the noise",
    );
  });

  it("name the strategy once, and its parameters among the settings", () => {
    const prox = spec({ strategy: "fedprox", strategy_params: { proximal_mu: 0.1 } });
    const said = [specWords(prox, titleOf), ...settingsLines(run({ spec: prox }))];
    expect(said).toContain("strategy: proximal_mu 0.1");
    expect(said.join("\n").match(/FedProx/gi)).toHaveLength(1);
    expect(settingsLines(run()).join("\n")).not.toMatch(/strategy|FedAvg/i);
  });

  it("tell who has which part of the data, how many are asked, and what is kept", () => {
    const few = spec({
      num_partitions: 8,
      fraction_train: 0.25,
      fraction_evaluate: 0.5,
      keep_checkpoints: 2,
    });
    const lines = settingsLines(run({ spec: few }));
    expect(lines).toContain("data in 8 parts; 25 % of the clients train in a round, 50 % evaluate");
    expect(lines).toContain("keeps the newest 2 checkpoints and the best");
  });

  it("name a strategy as the server calls it until its title is known", () => {
    expect(specWords(mnist, titlesOf([]))).toBe("MNIST · CNN · fedavg · α 0.5");
  });
});
