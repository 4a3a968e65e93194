import { act, screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import type { LocalClients as Local } from "../api/types";
import { cameIn, useWho } from "../login/who";
import { client, me, run, spec, status, waitingFor } from "../testing/fixtures";
import { connected, json, problem, serverAnswers, show, toldIn } from "../testing/page";
import { ReadyCheck } from "./ReadyCheck";

const ELSEWHERE = "Clients are started from the page only where nobody but its own machine can reach it.";

function local(changes: Partial<Local> = {}): Local {
  return { clients: [], limit: 8, refused: null, ...changes };
}

const running = (id: string): Local["clients"][number] => ({
  id,
  state: "running",
  dataset: "digits",
  reason: null,
});

const step = (name: string): HTMLElement => screen.getByTestId(`ready-${name}`);
const operator = (): void => act(() => cameIn(me({ role: "operator" })));

afterEach(() => useWho.setState({ state: "asking", me: null }));

describe("the ready check", () => {
  it("starts as many clients here as are missing, and says that they are starting", async () => {
    let started = local();
    const asked = serverAnswers({
      "GET /api/v1/local-clients": () => json(started),
      "POST /api/v1/local-clients": () => {
        started = local({ clients: [running("local-1"), running("local-2")] });
        return json(started, 201);
      },
    });
    operator();
    const reader = show(<ReadyCheck />);
    connected({ runs: [], status: status({ default_spec: spec({ min_clients: 2 }) }) });
    expect(step("clients")).toHaveTextContent("Clients: 0 of 2 are there");
    expect(step("clients")).toHaveTextContent("No client is connected.");

    await reader.click(await screen.findByRole("button", { name: "Start 2 here" }));

    expect(toldIn(asked)).toEqual([
      { what: "POST /api/v1/local-clients", body: { count: 2, dataset: "digits" } },
    ]);
    await waitFor(() => expect(step("clients")).toHaveTextContent("local-1, local-2 are starting"));
    expect(screen.queryByTestId("start-here")).not.toBeInTheDocument();
    expect(screen.getByRole("button", { name: "End all 2 local clients" })).toBeVisible();

    connected({ runs: [], clients: [client("local-1"), client("local-2")] });
    expect(step("clients")).toHaveTextContent("Clients: 2 of 2 are there");
    expect(screen.getByTestId("local-starting")).toBeEmptyDOMElement();
  });

  it("says of one that has ended why, and what the server said against starting more", async () => {
    const ended = { ...running("local-1"), state: "ended" as const, reason: "Its process ended: killed." };
    const asked = serverAnswers({
      "GET /api/v1/local-clients": () => json(local({ clients: [ended] })),
      "POST /api/v1/local-clients": () => problem(409, "This machine has room for 3 local clients."),
      "DELETE /api/v1/local-clients/local-1": () => new Response(null, { status: 204 }),
    });
    operator();
    const reader = show(<ReadyCheck />);
    connected({ runs: [] });
    expect(await screen.findByTestId("local-ended")).toHaveTextContent(
      "local-1 has ended. Its process ended",
    );

    await reader.click(screen.getByTestId("start-here"));
    expect(await screen.findByRole("alert")).toHaveTextContent("room for 3 local clients");
    await reader.click(screen.getByRole("button", { name: "Dismiss" }));
    expect(toldIn(asked).at(-1)?.what).toBe("DELETE /api/v1/local-clients/local-1");
  });

  it("starts none where the server or the role does not allow it, and shows the command", async () => {
    const asked = serverAnswers({
      "GET /api/v1/local-clients": () => json(local({ refused: ELSEWHERE })),
      "GET /api/v1/status": () => json(status()),
    });
    operator();
    show(<ReadyCheck />);
    connected({ runs: [] });
    await waitFor(() => expect(asked.map(({ what }) => what)).toContain("GET /api/v1/local-clients"));
    expect(screen.queryByTestId("start-here")).not.toBeInTheDocument();
    expect(screen.getByTestId("join-command")).toHaveTextContent(/run_client\.py/);
    expect(screen.getByTestId("ready-invite")).toBeVisible();

    act(() => cameIn(me({ role: "viewer" })));
    expect(step("start")).toHaveTextContent("Somebody with the role operator can start one.");
    expect(screen.queryByTestId("first-look")).not.toBeInTheDocument();
  });

  it("has an invitation as a code where others reach the server, which lets nobody in by itself", async () => {
    const asked = serverAnswers({
      "GET /api/v1/local-clients": () => json(local({ refused: ELSEWHERE })),
      "POST /api/v1/invitations": () =>
        json(
          { invitation: null, text: "fedloom://192.0.2.1:9092?key=AAAA", command: "join it", qr: "<svg/>" },
          201,
        ),
    });
    act(() => cameIn(me({ role: "admin" })));
    show(<ReadyCheck />);
    connected({ runs: [], status: status({ link: { host: "192.0.2.1", port: 9092 } }) });

    expect(await screen.findByAltText(/as QR code/)).toBeVisible();
    expect(screen.getByTestId("ready-invitation")).toHaveTextContent("join it");
    expect(screen.getByTestId("ready-elsewhere")).toHaveTextContent("until you approve them");
    expect(toldIn(asked)).toEqual([
      { what: "POST /api/v1/invitations", body: { kind: "approval", host: "192.0.2.1" } },
    ]);
  });

  it("has none where nobody else reaches the server, or for those who may not invite", async () => {
    const asked = serverAnswers({ "GET /api/v1/local-clients": () => json(local()) });
    operator();
    show(<ReadyCheck />);
    connected({ runs: [], status: status({ link: { host: "192.0.2.1", port: 9092 } }) });
    connected({ runs: [], status: status() });
    act(() => cameIn(me({ role: "admin" })));
    await waitFor(() => expect(asked.map(({ what }) => what)).toContain("GET /api/v1/local-clients"));
    expect(screen.queryByTestId("ready-elsewhere")).not.toBeInTheDocument();
    expect(asked.map(({ what }) => what)).not.toContain("POST /api/v1/invitations");
  });

  it("starts a first run in one click, on the data that clients here have", async () => {
    const asked = serverAnswers({
      "GET /api/v1/local-clients": () => json(local()),
      "POST /api/v1/runs": () => json(run({ state: "queued" }), 201),
    });
    operator();
    const reader = show(<ReadyCheck />);
    connected({ runs: [], status: status({ default_spec: spec({ dataset: "mnist", min_clients: 3 }) }) });

    await reader.click(screen.getByRole("button", { name: "First look" }));

    expect(toldIn(asked)).toEqual([
      {
        what: "POST /api/v1/runs",
        body: { dataset: "mnist", num_rounds: 5, alpha: null, min_clients: 3 },
      },
    ]);
  });

  it("names while a run waits each client, and why it does not fit", () => {
    serverAnswers({});
    show(<ReadyCheck />);
    const waits = waitingFor("clients", { have: 1, need: 2 });
    connected({
      runs: [run({ id: "aa", state: "waiting", round: 0, waiting_for: waits })],
      clients: [client("a"), client("b", { reason: "holds mnist, run aa trains on digits" })],
    });
    const [unfit, fits] = within(step("clients")).getAllByTestId("candidate");
    expect(unfit).toHaveTextContent("b holds mnist, run aa trains on digits");
    expect(unfit).toHaveAttribute("data-fits", "false");
    expect(fits).toHaveTextContent("a digits: it fits");
    expect(step("start")).toHaveTextContent("Run aa begins by itself");
    expect(step("start")).toHaveTextContent("once 1 more client that fits is there");
    expect(screen.queryByTestId("first-look")).not.toBeInTheDocument();
  });
});
