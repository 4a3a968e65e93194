import { describe, expect, it } from "vitest";
import sample from "./status.sample.json";
import type { ClientStatus } from "./status";
import { situationWords } from "./words";

const status = sample as ClientStatus;
const connected = { ...sample.server, connected: true };

describe("what a client does", () => {
  it.each([
    [
      status,
      "No connection to the server at 10.0.0.1:9092 for 41 s. Learning on run 7f3a9c01 with the others: 6 mesh rounds since round 3.",
    ],
    [
      { ...status, rounds: [] },
      "No connection to the server at 10.0.0.1:9092 for 41 s. Learning on run 7f3a9c01 with the others: the first mesh round is going on.",
    ],
    [
      { ...status, server: connected, learning: false },
      "Connected to the server at 10.0.0.1:9092 for 41 s. In run 7f3a9c01; without the server it has gone 6 mesh rounds since round 3.",
    ],
    [
      { ...status, server: connected, learning: false, rounds: [] },
      "Connected to the server at 10.0.0.1:9092 for 41 s. In run 7f3a9c01.",
    ],
    [
      { ...status, learning: false, run: null },
      "No connection to the server at 10.0.0.1:9092 for 41 s. It has no place in a run.",
    ],
    [
      { ...status, server: null, learning: false, run: null },
      "No run yet. A member proposes one: python -m mesh run.",
    ],
    [{ ...status, server: null }, "Learning on run 7f3a9c01 with the others: 6 mesh rounds."],
    [
      { ...status, server: null, rounds: [] },
      "Learning on run 7f3a9c01 with the others: the first mesh round is going on.",
    ],
    [
      { ...status, server: null, learning: false },
      "Run 7f3a9c01 is over: 6 mesh rounds. The model is kept on this machine.",
    ],
  ])("is told in sentences (%#)", (told, words) => expect(situationWords(told)).toBe(words));
});
