import { describe, expect, it } from "vitest";
import { run, spec } from "../testing/fixtures";
import { noCheckpointsWords } from "./words";

describe("noCheckpointsWords", () => {
  it("say when there will be one, or why there is none", () => {
    expect(noCheckpointsWords(run())).toContain("when round 1 has ended");
    expect(noCheckpointsWords(run({ state: "stopped" }))).toContain("before its first checkpoint");
    expect(noCheckpointsWords(run({ spec: spec({ app: "quickstart-numpy" }) }))).toContain(
      "quickstart-numpy keeps its model itself",
    );
  });
});
