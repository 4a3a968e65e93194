import { screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { createRun } from "../api/requests";
import { me } from "../testing/fixtures";
import { json, problem, serverAnswers, show, toldIn } from "../testing/page";
import { Entry } from "./Entry";
import type { Entrance } from "./entrance";
import { askWho, useWho } from "./who";

const UNKNOWN = { "GET /api/v1/me": () => problem(401, "You are not known here.") };
const alice = me({ name: "alice", role: "viewer", by: "session", csrf: "proof" });
const byPassword: Entrance = { by: "password", wrongKey: false };

beforeEach(() => useWho.setState({ state: "asking", me: null }));

const enter = (entrance: Entrance = byPassword) => show(<Entry entrance={entrance}>the page</Entry>);

describe("the way in", () => {
  it("is open to whom the server knows", async () => {
    serverAnswers({ "GET /api/v1/me": () => json(me()) });
    enter();
    expect(await screen.findByText("the page")).toBeVisible();
  });

  it("is a name and a password for others", async () => {
    const asked = serverAnswers({ ...UNKNOWN, "POST /api/v1/login": () => json(alice) });
    const reader = enter();
    await reader.type(await screen.findByLabelText("name"), "alice");
    await reader.type(screen.getByLabelText("password"), "a long password");
    await reader.click(screen.getByRole("button", { name: "Log in" }));
    expect(await screen.findByText("the page")).toBeVisible();
    expect(toldIn(asked)).toEqual([
      { what: "POST /api/v1/login", body: { name: "alice", password: "a long password" } },
    ]);
  });

  it("says why it stays shut", async () => {
    serverAnswers({ ...UNKNOWN, "POST /api/v1/login": () => problem(401, "The password is wrong.") });
    const reader = enter();
    await reader.type(await screen.findByLabelText("name"), "alice");
    await reader.type(screen.getByLabelText("password"), "guess{Enter}");
    expect(await screen.findByRole("alert")).toHaveTextContent("The password is wrong.");
    expect(screen.getByRole("button", { name: "Log in" })).not.toHaveAttribute("data-disabled", "true");
  });

  it("says that the key in the address does not hold", async () => {
    serverAnswers(UNKNOWN);
    enter({ by: "password", wrongKey: true });
    expect(await screen.findByRole("alert")).toHaveTextContent("The key in the address does not hold");
  });

  it("makes the first administrator, also for whom the server knows", async () => {
    const first = { ...alice, role: "admin" };
    const asked = serverAnswers({
      "GET /api/v1/me": () => json(me()),
      "POST /api/v1/setup": () => json(first),
    });
    const reader = enter({ by: "setup", token: "once" });
    await reader.type(screen.getByLabelText("name"), "alice");
    await reader.type(screen.getByLabelText("password"), "a long password{Enter}");
    expect(await screen.findByText("the page")).toBeVisible();
    expect(toldIn(asked)).toEqual([
      { what: "POST /api/v1/setup", body: { token: "once", name: "alice", password: "a long password" } },
    ]);
    expect(useWho.getState().me?.name).toBe("alice");
  });

  it("shows the page as it can be while the server is away", async () => {
    serverAnswers({
      "GET /api/v1/me": () => {
        throw new TypeError("no connection");
      },
    });
    enter();
    expect(await screen.findByText("the page")).toBeVisible();
  });

  it("is shown again when the server does not know the reader any more", async () => {
    let answer = json(alice);
    serverAnswers({ "GET /api/v1/me": () => answer });
    enter();
    await screen.findByText("the page");
    answer = problem(401, "You are not known here.");
    await askWho();
    expect(await screen.findByTestId("entry-form")).toBeVisible();
  });
});

describe("a change made with a cookie", () => {
  it("shows that it comes from this page", async () => {
    const sent: (string | null)[] = [];
    useWho.setState({ state: "in", me: alice });
    serverAnswers({ "POST /api/v1/runs": () => json({}, 201) });
    const answer = globalThis.fetch as (request: Request) => Promise<Response>;
    globalThis.fetch = ((request: Request) => {
      sent.push(request.headers.get("X-CSRF-Token"));
      return answer(request);
    }) as typeof fetch;
    await createRun({});
    await waitFor(() => expect(sent).toEqual(["proof"]));
  });
});
