import { describe, expect, it } from "vitest";
import { run, spec } from "../testing/fixtures";
import { noClassesWords, noLabelsWords } from "./words";

const foreign = run({ spec: spec({ app: "quickstart-numpy" }) });

describe("an evaluation that is not there", () => {
  it("says when it comes", () => {
    expect(noClassesWords(null)).toContain("once a run has started");
    expect(noClassesWords(run())).toBe("They appear when the initial model has been evaluated.");
    expect(noLabelsWords(run())).toContain("unless they are kept private");
  });

  it("says why it will not come", () => {
    expect(noClassesWords(run({ state: "failed" }))).toBe("The run ended before its model was evaluated.");
    expect(noClassesWords(foreign)).toContain("quickstart-numpy evaluates its own model");
    expect(noLabelsWords(foreign)).toContain("quickstart-numpy only");
  });
});
