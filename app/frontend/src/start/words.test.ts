import { describe, expect, it } from "vitest";
import { run } from "../testing/fixtures";
import { appCohortNote, cohortNote, queueNote } from "./words";

describe("the notes beside a new run", () => {
  it("tell whether a new run would wait", () => {
    expect(cohortNote("digits", 1, 2)).toBe("1 connected client holds Digits: it will wait for 1 more");
    expect(cohortNote("digits", 3, 2)).toBe("3 connected clients hold Digits");
    const info = {
      name: "quickstart-numpy",
      version: "1.0.0",
      digest: "ab",
      run_config: {},
      rounds_key: null,
    };
    expect(appCohortNote(info, 1, 2)).toBe(
      "1 connected client runs quickstart-numpy: it will wait for 1 more",
    );
  });

  it("tell that it would stand behind the active one", () => {
    expect(queueNote(run({ id: "ab", state: "paused" }))).toContain(
      "Run ab is paused. The new run is queued",
    );
    expect(queueNote(null)).toBeNull();
  });
});
