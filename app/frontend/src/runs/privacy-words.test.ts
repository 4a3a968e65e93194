import { describe, expect, it } from "vitest";
import { privacy } from "../testing/fixtures";
import { privacyExplained, privacyWords } from "./privacy-words";

describe("a run's privacy", () => {
  it("is told with two decimals, and whom it protects", () =>
    expect(privacyWords(privacy({ epsilon: 4.897 }))).toBe("ε 4.90 at δ 1.0e-5, per client"));

  it("says at which δ, by how many models, and what is outside of it", () => {
    const words = privacyExplained(privacy({ epsilon: 4.897, delta: 1e-5, releases: 3 }));
    expect(words).toContain("hides whether any one client took part: ε 4.90 at δ 1.0e-5, spent by 3 models");
    expect(words).toContain("not for the server, which sees each update");
    expect(words).toContain("results that clients report are outside of it");
  });

  it("of samples is the clients' own word, and holds against the server too", () => {
    const ofSamples = privacy({ epsilon: 1.2, protects: "sample", releases: null });
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
