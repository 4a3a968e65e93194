import { describe, expect, it } from "vitest";
import { run, spec } from "../testing/fixtures";
import { json, problem, serverAnswers } from "../testing/page";
import { RequestFailed } from "./http";
import { checkpointUrl, commandRun, createRun, exportUrl, fetchRounds } from "./requests";

const PAUSE = "POST /api/v1/runs/aa/pause";

/** What a command says of an answer. */
async function failureOf(answer: () => Response | Promise<Response>): Promise<RequestFailed> {
  serverAnswers({ [PAUSE]: answer });
  const failure: unknown = await commandRun("aa", "pause").catch((error: unknown) => error);
  if (!(failure instanceof RequestFailed)) throw new Error("it did not fail as it should");
  return failure;
}

describe("a request", () => {
  it("carries its body to the path of its subject", async () => {
    const asked = serverAnswers({ "POST /api/v1/runs": () => json(run(), 201) });
    expect(await createRun(spec({ num_rounds: 3 }))).toEqual(run());
    expect(asked).toMatchObject([{ what: "POST /api/v1/runs", body: { num_rounds: 3 } }]);
  });

  it("keeps an id that has a slash in one piece", async () => {
    const asked = serverAnswers({});
    await fetchRounds("a/b", { after: -1, limit: 5, points: 9 }).catch(() => undefined);
    expect(asked[0]?.what).toBe("GET /api/v1/runs/a%2Fb/rounds?after=-1&limit=5&points=9");
    expect(checkpointUrl("a/b", 3)).toBe("/api/v1/runs/a%2Fb/checkpoints/3");
    expect(exportUrl("a/b", "csv")).toBe("/api/v1/runs/a%2Fb/export?format=csv");
  });
});

describe("a request that fails", () => {
  it("says what the server says, field by field", async () => {
    const errors = [{ field: "lr", message: "too much" }];
    const failure = await failureOf(() => problem(422, "The request was not carried out.", errors));
    expect(failure).toMatchObject({
      message: "The request was not carried out.",
      status: 422,
      fields: errors,
    });
  });

  it("says what a proxy answered in place of the server", async () => {
    const page = new Response("<h1>Bad Gateway</h1>", { status: 502, statusText: "Bad Gateway" });
    expect((await failureOf(() => page)).message).toBe("The server answered 502 Bad Gateway.");
    expect((await failureOf(() => new Response(null, { status: 504 }))).message).toBe(
      "The server answered 504.",
    );
    expect((await failureOf(() => json("no", 500))).message).toBe("The server answered 500.");
  });

  it("says that nothing was changed where nobody answered", async () => {
    const failure = await failureOf(() => Promise.reject(new TypeError("fetch failed")));
    expect(failure.message).toContain("The server did not answer, so nothing was changed.");
    expect(failure.status).toBeNull();
  });

  it.each(['{"id": "aa"', "", "<p>Log in to the network</p>"])(
    "says that an answer is none (%j)",
    async (text) => {
      expect((await failureOf(() => new Response(text))).message).toContain("does not come from the server");
    },
  );
});
