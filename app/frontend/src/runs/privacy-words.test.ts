import { describe, expect, it } from "vitest";
import { privacy, result, spec } from "../testing/fixtures";
import { keptWords, privacyExplained, privacyWords, whyKept } from "./privacy-words";

describe("a run's privacy", () => {
  it("is told with two decimals, and whom it protects", () =>
    expect(privacyWords(privacy({ epsilon: 4.897 }))).toBe("ε 4.90 at δ 1.0e-5, per client"));

  it("says at which δ, by how many models, and what is outside of it", () => {
    const words = privacyExplained(privacy({ epsilon: 4.897, delta: 1e-5, releases: 3 }));
    expect(words).toContain("hides whether any one client took part: ε 4.90 at δ 1.0e-5, spent by 3 models");
    expect(words).toContain("not for the server, which sees each update");
    expect(words).toContain("results that clients report are outside of it");
  });

  it("holds against the server too where the clients share the noise of a masked sum", () => {
    const shared = privacy({ epsilon: 4.897, from_server: true });
    expect(privacyWords(shared)).toBe("ε 4.90 at δ 1.0e-5, per client");
    const words = privacyExplained(shared);
    expect(words).toContain("hides whether any one client took part");
    expect(words).toContain("It holds for the server too, which sees the sum of the updates alone");
    expect(words).not.toContain("sees each update");
  });

  it("of samples is the clients' own word, and holds against the server too", () => {
    const ofSamples = privacy({ epsilon: 1.2, protects: "sample", from_server: true, releases: null });
    expect(privacyWords(ofSamples)).toBe("ε 1.20 at δ 1.0e-5, per sample");
    const words = privacyExplained(ofSamples);
    expect(words).toContain("hides whether any one sample of a client was used: ε 1.20 at δ 1.0e-5. It is");
    expect(words).not.toContain("not for the server");
  });

  it("does not exist without noise, and says so", () => {
    const without = privacy({ epsilon: null });
    expect(privacyWords(without)).toBe("ε –");
    expect(privacyExplained(without)).toContain("nothing is private");
  });
});

describe("what single clients keep to themselves", () => {
  const dp = { noise_multiplier: 1, target_epsilon: null, clipping_norm: 1, delta: 1e-5 };
  const secure_aggregation = { threshold: 0.7, neighbours: 100, bits: 32, range: 4, max_samples: 100_000 };

  it("is nothing in a run without protection", () => {
    expect(whyKept(spec())).toBeNull();
    expect(keptWords(spec(), [])).toBeNull();
    expect(keptWords(undefined, [])).toBeNull();
  });

  it("is said with its reason, by what protects the run", () => {
    const kept = whyKept(spec({ dp }));
    expect(kept?.own).toMatch(/^not told: the noise of .* \(metrics_of_private_runs\)$/);
    expect(kept?.samples).toBeNull();
    expect(whyKept(spec({ secure_aggregation }))?.samples).toContain("sees sums alone");
    expect(keptWords(spec({ dp }), [])).toContain("Accuracy, loss and label counts");
    expect(keptWords(spec({ dp, secure_aggregation }), [])).toMatch(
      /numbers of samples and label counts .* the server sees sums alone\.$/,
    );
  });

  it("is nothing to speak of where all sites let it leave", () => {
    const told = result({ accuracy: 0.9 });
    expect(keptWords(spec({ dp }), [told])).toBeNull();
    expect(keptWords(spec({ dp }), [told, result({ accuracy: null })])).not.toBeNull();
  });
});
