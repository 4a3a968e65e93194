import { describe, expect, it } from "vitest";
import { client, run, spec, usage } from "../testing/fixtures";
import { type Reported, reportOf } from "./report";

const reported = (changes: Partial<Reported> = {}): string =>
  reportOf({
    version: "0.1.0",
    now: 200,
    browser: "Firefox",
    run: run({ id: "aa", state: "failed", reason: "the app raised KeyError" }),
    client: null,
    usage: usage(1),
    traceback: "Traceback:\nKeyError: 'x'\n",
    ...changes,
  });

describe("the report of an error", () => {
  it("has version, run, settings, machine and traceback", () => {
    const text = reported();
    expect(text).toContain("FedLoom 0.1.0");
    expect(text).toContain("run aa: failed, round 4\nreason: the app raised KeyError");
    expect(text).toContain('"dataset":"digits"');
    expect(text).toContain("at the server, 4 cores, 8.0 GB memory");
    expect(text).toContain("KeyError: 'x'");
  });

  it("says on which client's machine it was", () => {
    expect(reported({ client: client("client-2"), run: null })).toContain("at client-2, cpu on lab");
  });

  it("has nothing that lets anybody in", () => {
    const run_config = { lr: 0.1, "api-key": "sesame" };
    const traceback = "GET /#key=sesame failed\npostgresql://me:sesame@db/x\npassword: sesame";
    const text = reported({ run: run({ spec: spec({ run_config }) }), traceback });
    expect(text).not.toContain("sesame");
    expect(text).toContain("postgresql://me:…@db/x");
    expect(text).toContain('"api-key"');
  });
});
