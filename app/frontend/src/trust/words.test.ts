import { describe, expect, it } from "vitest";
import { audit, auditEntry } from "../testing/fixtures";
import { entryWords, shortRoot, unwitnessedWords, witnessWords } from "./words";

const witness = (size: number) => ({ client: "client-1", key: "K", size, time: 1 });

describe("what is witnessed", () => {
  it.each([
    [audit({ size: 0, root: null, time: null }), "Nothing has been entered yet."],
    [audit(), "No client has witnessed any of it yet: the server alone vouches for it."],
    [audit({ witnesses: [witness(16), witness(3)] }), "All of it has been witnessed."],
    [audit({ witnesses: [witness(15)] }), "The last 1 entry has not been witnessed yet."],
    [audit({ witnesses: [witness(3)] }), "The last 13 entries have not been witnessed yet."],
  ])("is said in a sentence", (status, words) => {
    expect(unwitnessedWords(status)).toBe(words);
  });

  it("is a part of the log for each client", () => {
    expect(witnessWords(16, 16)).toBe("all of it");
    expect(witnessWords(1_200, 1_600)).toBe("1,200 of 1,600");
    expect(shortRoot("941723b992b9407e")).toBe("941723b9…");
  });
});

describe("an entry", () => {
  it.each([
    ["aggregated", { run: "aa", round: 3, updates: [{}, {}] }, "round 3 of run aa, from 2 updates"],
    ["round-completed", { run: "aa", round: 3, clients: [] }, "round 3 of run aa"],
    ["run-queued", { run: "aa" }, "run aa"],
    ["run-ended", { run: "aa", round: 3, state: "completed", reason: null }, "run aa: completed"],
    ["run-ended", { run: "aa", state: "failed", reason: "no update" }, "run aa: failed: no update"],
    ["client-joined", { client: "client-1", key: "WFQCR7G-JSA7EDG" }, "client-1 with the key WFQCR7G-J…"],
    ["client-refused", { client: null, key: null, reason: "no invitation" }, "no invitation"],
    [
      "downloaded",
      { what: "model", run: "aa", round: 3, by: "user olga", address: "::1" },
      "model, round 3 of run aa, by user olga at ::1",
    ],
    ["downloaded", { what: "audit", by: "user olga", address: "::1" }, "audit, by user olga at ::1"],
    [
      "run-commanded",
      { run: "aa", command: "stop", by: "user olga", address: null },
      "stop run aa, by user olga",
    ],
    ["logged-in", { by: "user olga", address: "::1" }, "by user olga at ::1"],
    [
      "login-refused",
      { user: null, address: "::1", reason: "wrong name or password" },
      "wrong name or password, ::1",
    ],
    ["user-added", { user: "vera", role: "viewer", by: "user olga" }, "vera, viewer, by user olga"],
    ["user-removed", { user: "vera", by: "user olga" }, "vera, by user olga"],
    [
      "token-made",
      { token: "1a", label: "nightly", role: "viewer", by: "user olga" },
      "nightly, viewer, by user olga",
    ],
    [
      "update-judged",
      { client: "client-1", type: "train", run: "aa", round: 3, verdict: "accepted" },
      "client-1, train, round 3 of run aa, accepted",
    ],
    ["update-judged", { client: "client-1", type: null, run: null, verdict: "late" }, "client-1, late"],
    [
      "invitation-made",
      { invitation: "1a", type: "reusable", label: "", by: "user olga" },
      "1a, reusable, by user olga",
    ],
    ["invitation-used", { invitation: null, client: "client-1" }, "client-1"],
    ["client-revoked", { client: "client-1", key: "K", by: "user olga" }, "client-1, by user olga"],
    ["next-key-announced", { key: "K", by: "user olga" }, "K, by user olga"],
    ["server-stopped", {}, ""],
    ["something-new", { a: 1 }, ""],
  ])("of the kind %s is told in a line", (kind, fields, words) => {
    expect(entryWords(auditEntry(1, { kind, fields }))).toBe(words);
  });
});
