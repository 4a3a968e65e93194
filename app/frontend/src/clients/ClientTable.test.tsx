import { act, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { client, result, round, run, spec, status, waitingFor } from "../testing/fixtures";
import { connected, happens, json, serverAnswers, show } from "../testing/page";
import { ClientTable } from "./ClientTable";

const rowOf = (id: string): HTMLElement => {
  const row = screen.getAllByTestId("client-row").find((each) => each.dataset.client === id);
  if (row === undefined) throw new Error(`no row of ${id}`);
  return row;
};

describe("the client table", () => {
  it("tells of each client what it does and how well", () => {
    show(<ClientTable />);
    connected({
      runs: [run({ clients: ["client-1", "client-2"] })],
      clients: [
        client("client-1", {
          state: "training",
          round: 4,
          accuracy: 0.979,
          loss: 0.1,
          progress: { done: 5, total: 20, examples_per_s: 1240, loss: null },
        }),
        client("client-2"),
      ],
    });
    const first = within(rowOf("client-1"));
    expect(first.getByTestId("client-state")).toHaveTextContent("training");
    expect(first.getByRole("progressbar")).toHaveAttribute("aria-valuenow", "5");
    expect(first.getByText("97.9 %")).toBeVisible();
    expect(first.getByText(/1,240 ex\/s/)).toBeVisible();
    expect(within(rowOf("client-2")).getByLabelText("no data: idle: no task at the moment")).toBeVisible();
  });

  it("shows in a private run what each client has spent, and why it tells no accuracy", () => {
    show(<ClientTable />);
    const dp = { noise_multiplier: 1, target_epsilon: null, clipping_norm: 1, delta: 1e-5 };
    connected({
      runs: [run({ id: "aa", clients: ["client-1"], spec: spec({ dp }) })],
      rounds: { aa: [round(3, { per_client: { "client-1": result({ epsilon: 1.204 }) } })] },
      clients: [client("client-1")],
    });
    expect(screen.getByRole("columnheader", { name: "ε" })).toBeVisible();
    const row = within(rowOf("client-1"));
    expect(row.getByTestId("client-epsilon")).toHaveTextContent("1.20");
    expect(row.getAllByLabelText(/no data: not told: the noise of differential privacy/)).toHaveLength(4);
    expect(screen.getByTestId("kept-note")).toHaveTextContent(
      "Accuracy, loss and label counts of single clients stay with them: the noise of differential privacy covers updates alone.",
    );
  });

  it("says in a run with secure aggregation why numbers are missing, and of nothing spent", () => {
    show(<ClientTable />);
    const secure_aggregation = { threshold: 0.7, neighbours: 100, bits: 32, range: 4, max_samples: 100_000 };
    connected({
      runs: [run({ clients: ["client-1"], spec: spec({ secure_aggregation }) })],
      clients: [client("client-1")],
    });
    expect(screen.queryByRole("columnheader", { name: "ε" })).not.toBeInTheDocument();
    const row = within(rowOf("client-1"));
    expect(row.getAllByLabelText(/no data: not told: with secure aggregation/)).toHaveLength(5);
    expect(screen.getByTestId("kept-note")).toHaveTextContent(
      /numbers of samples .* the server sees sums alone\.$/,
    );
  });

  it("shows against which budget, also when the site has declined since", () => {
    show(<ClientTable />);
    const dp = { noise_multiplier: 1, target_epsilon: null, clipping_norm: 1, delta: 1e-5 };
    const before = result({ epsilon: 2.9, epsilon_of_run: 1.2, epsilon_budget: 3 });
    const declined = result({ verdict: "declined", error: "declined by its site: privacy_budget = 3" });
    connected({
      runs: [run({ id: "aa", clients: ["client-1"], spec: spec({ dp }) })],
      rounds: {
        aa: [
          round(3, { per_client: { "client-1": before } }),
          round(4, { per_client: { "client-1": declined } }),
        ],
      },
      clients: [client("client-1")],
    });
    const row = within(rowOf("client-1"));
    expect(row.getByTestId("client-epsilon")).toHaveTextContent("2.90");
    expect(row.getByTestId("client-budget")).toHaveTextContent("of 3.00");
    expect(row.getByTitle(/in all runs, 1.20 in this run alone/)).toBeVisible();
  });

  it("has no column for what nobody spends", () => {
    show(<ClientTable />);
    connected({ runs: [run({ clients: ["client-1"] })], clients: [client("client-1")] });
    expect(screen.queryByRole("columnheader", { name: "ε" })).not.toBeInTheDocument();
  });

  it("counts who is there, late and lost, and lists those first that are late", () => {
    show(<ClientTable />);
    connected({
      time: 140,
      clients: [
        client("client-1", { state: "lost" }),
        client("client-2", { state: "late", late_since: 100 }),
        client("client-3"),
      ],
    });
    expect(screen.getByTestId("client-count")).toHaveTextContent("2 connected");
    expect(screen.getByTestId("role-lost")).toHaveTextContent("1 lost");
    expect(screen.getByTestId("role-late")).toHaveTextContent("1 late");
    expect(within(rowOf("client-2")).getByTestId("client-state")).toHaveTextContent("late 40 s");
    expect(screen.getAllByTestId("client-row").map((row) => row.dataset.client)).toEqual([
      "client-2",
      "client-3",
      "client-1",
    ]);
  });

  it("tells one that has delivered from one that was never asked", () => {
    show(<ClientTable />);
    const per_client = { "client-1": result({ train_s: 3.2 }) };
    connected({
      runs: [run({ id: "aa", round: 4, clients: ["client-1", "client-2"] })],
      rounds: { aa: [round(4, { complete: false, per_client })] },
      clients: [client("client-1", { run: "aa" }), client("client-2", { run: "aa" })],
    });
    expect(within(rowOf("client-1")).getByTestId("client-delivered")).toHaveTextContent("in 3.2 s");
    expect(within(rowOf("client-2")).queryByTestId("client-delivered")).not.toBeInTheDocument();
  });

  it("says why a client takes no part in the run", () => {
    show(<ClientTable />);
    connected({ clients: [client("client-1", { reason: "holds digits, run 7f3a trains on mnist" })] });
    expect(within(rowOf("client-1")).getByTestId("client-reason")).toHaveTextContent(
      "holds digits, run 7f3a trains on mnist",
    );
  });

  it("shows a client's error when the reader asks for it", async () => {
    const reader = show(<ClientTable />);
    connected({
      runs: [run({ id: "aa", clients: ["client-1"] })],
      rounds: {
        aa: [round(3, { per_client: { "client-1": result({ error: "RuntimeError: out of memory" }) } })],
      },
      clients: [client("client-1")],
    });
    expect(within(rowOf("client-1")).getByTestId("client-note")).toHaveTextContent("failed");
    expect(screen.queryByText("RuntimeError: out of memory")).not.toBeInTheDocument();
    await reader.click(screen.getByRole("button", { name: "error" }));
    expect(screen.getByTestId("traceback")).toHaveTextContent("RuntimeError: out of memory");
    await reader.click(screen.getByRole("button", { name: "hide" }));
    expect(screen.queryByTestId("traceback")).not.toBeInTheDocument();
  });

  it("shows the numbers of another app's client when the reader asks for them", async () => {
    const reader = show(<ClientTable />);
    const foreign = { app: "quickstart", accuracy: 0.5 };
    connected({
      runs: [run({ id: "aa", spec: spec({ app: "quickstart" }), clients: ["client-1"] })],
      rounds: {
        aa: [round(3, { per_client: { "client-1": result({ metrics: { bleu: 0.25, steps: 12 } }) } })],
      },
      clients: [client("client-1", foreign)],
    });
    await reader.click(screen.getByRole("button", { name: "2 metrics" }));
    expect(within(screen.getByLabelText("metrics of round 3")).getByText("bleu")).toBeVisible();
    expect(screen.getByTestId("client-details")).toHaveTextContent("0.25");
  });
});

describe("the verdicts on a client's replies", () => {
  const refused = {
    run_id: "aa",
    round: 3,
    client_id: "client-1",
    key: "KEY",
    message_id: "m",
    kind: "train",
    verdict: "bad_signature",
    detail: "The reply is not what its client signed.",
    time: 190,
    bytes: 1_640_000,
    seq: 12,
    receipt: null,
  };

  it("are a mark and a word beside its state", () => {
    show(<ClientTable />);
    connected({
      clients: [client("client-1", { verdict: "accepted", verdicts: { accepted: 4 } }), client("client-2")],
    });
    expect(within(rowOf("client-1")).getByTestId("verdict")).toHaveTextContent("accepted");
    expect(within(rowOf("client-2")).queryByTestId("verdict")).not.toBeInTheDocument();
  });

  it("are listed with their reasons when the reader asks for them", async () => {
    serverAnswers({
      "GET /api/v1/runs/aa/verdicts?client=client-1&limit=20": () => json({ verdicts: [refused] }),
    });
    const reader = show(<ClientTable />);
    connected({
      runs: [run({ id: "aa", clients: ["client-1"] })],
      rounds: { aa: [round(3, { per_client: { "client-1": result({ verdict: "bad_signature" }) } })] },
      clients: [client("client-1", { verdict: "bad_signature", verdicts: { bad_signature: 1 } })],
    });
    await reader.click(screen.getByRole("button", { name: "verdicts" }));
    const list = within(await screen.findByTestId("client-verdicts"));
    expect(list.getByText("bad signature")).toBeVisible();
    expect(list.getByText("round 3")).toBeVisible();
    expect(list.getByText("The reply is not what its client signed.")).toBeVisible();
  });
});

describe("the numbers of another app's client", () => {
  const stages = { train: { loss: 2.5, auc: 0.6 }, "train 2": { loss: 1.5 }, evaluate: { auc: 0.75 } };

  it("stand by stage, so that one with the same name in another is seen too", async () => {
    const reader = show(<ClientTable />);
    connected({
      runs: [run({ id: "aa", spec: spec({ app: "quickstart" }), clients: ["client-1"] })],
      rounds: {
        aa: [
          round(3, { per_client: { "client-1": result({ stages: { train: { loss: 3 } } }) } }),
          round(4, { label: "1", per_client: { "client-1": result({ stages, metrics: { loss: 1.5 } }) } }),
        ],
      },
      clients: [client("client-1", { app: "quickstart" })],
    });
    await reader.click(screen.getByRole("button", { name: "4 metrics" }));
    const table = within(screen.getByLabelText("metrics of round 4 (the app's 1)"));
    expect(table.getAllByRole("row").map((row) => row.textContent)).toEqual([
      "trainloss2.5",
      "auc0.6",
      "train 2loss1.5",
      "evaluateauc0.75",
    ]);
  });

  it("tell in which round it works, as the app counts too", () => {
    show(<ClientTable />);
    connected({
      runs: [run({ id: "aa", spec: spec({ app: "quickstart" }), clients: ["client-1", "client-2"] })],
      rounds: {
        aa: [
          round(4, {
            label: "1",
            complete: false,
            per_client: { "client-2": result({ error: "KeyError" }) },
          }),
        ],
      },
      clients: [
        client("client-1", { app: "quickstart", state: "training", round: 4 }),
        client("client-2", { app: "quickstart" }),
      ],
    });
    expect(rowOf("client-1")).toHaveTextContent("round 4(the app's 1)");
    expect(within(rowOf("client-2")).getByTitle("round 4 (the app's 1)")).toHaveTextContent(
      "in round 4 (the app's 1)",
    );
  });
});

describe("while a run waits for more clients, the table", () => {
  const waits = (have: number) =>
    run({ id: "aa", state: "waiting", waiting_for: waitingFor("clients", { have, need: 3 }) });

  it("goes on telling how to join, with an id that is free", async () => {
    let free = 2;
    const command = () => `python run_client.py --client-id client-${free}`;
    serverAnswers({ "GET /api/v1/status": () => json(status({ join_command: command() })) });
    show(<ClientTable />);
    connected({ runs: [waits(1)], clients: [client("client-1")] });
    await waitFor(() => expect(screen.getByTestId("join-command")).toHaveTextContent("client-2"));
    expect(screen.getByTestId("more-clients")).toHaveTextContent("1 of 3 clients are there. Start 2 more:");

    free = 3;
    happens(
      { seq: 11, time: 201, type: "client_update", data: client("client-2") },
      { seq: 12, time: 201, type: "run_update", data: waits(2) },
    );
    await waitFor(() => expect(screen.getByTestId("join-command")).toHaveTextContent("client-3"));
    expect(screen.getByTestId("more-clients")).toHaveTextContent("2 of 3 clients are there. Start 1 more:");

    happens({ seq: 13, time: 202, type: "run_update", data: run({ id: "aa" }) });
    expect(screen.queryByTestId("join-command")).not.toBeInTheDocument();
  });
});

describe("while a run waits for a client that it has lost, the table", () => {
  it("tells how to start that one again, and how to join only where still more are missing", async () => {
    const waits = (need: number) =>
      run({ id: "aa", round: 3, state: "waiting", waiting_for: waitingFor("clients", { have: 1, need }) });
    const command = "python run_client.py --client-id client-3 --dataset digits";
    serverAnswers({ "GET /api/v1/status": () => json(status({ join_command: command })) });
    show(<ClientTable />);
    connected({
      runs: [waits(2)],
      clients: [
        client("client-1", { run: "aa" }),
        client("client-2", { run: "aa", state: "lost", host: "lab-2" }),
      ],
    });
    const more = screen.getByTestId("more-clients");
    expect(more).toHaveTextContent("1 of 2 clients are there.client-2 was last seen on lab-2.");
    expect(within(more).getByTestId("restart-command")).toHaveTextContent(
      "python run_client.py --client-id client-2 --dataset digits",
    );
    expect(screen.queryByTestId("join-command")).not.toBeInTheDocument();
    happens({ seq: 11, time: 201, type: "run_update", data: waits(3) });
    await waitFor(() => expect(screen.getByTestId("join-command")).toHaveTextContent("client-3"));
    expect(more).toHaveTextContent("Start 1 more:");
  });
});

describe("without clients, the table", () => {
  it("tells how to join", () => {
    serverAnswers({});
    show(<ClientTable />);
    connected();
    expect(screen.getByTestId("join-command")).toHaveTextContent("python run_client.py --client-id client-3");
  });

  it("asks the server for the command anew when another run waits", async () => {
    const commandOf = (dataset: string) => `python run_client.py --client-id client-1 --dataset ${dataset}`;
    let dataset = "digits";
    serverAnswers({ "GET /api/v1/status": () => json(status({ join_command: commandOf(dataset) })) });
    show(<ClientTable />);
    connected();
    await waitFor(() => expect(screen.getByTestId("join-command")).toHaveTextContent(commandOf("digits")));

    dataset = "mnist";
    const waiting = run({ id: "bb", state: "waiting", spec: spec({ dataset: "mnist" }) });
    happens({ seq: 11, time: 201, type: "run_update", data: waiting });

    await waitFor(() => expect(screen.getByTestId("join-command")).toHaveTextContent(commandOf("mnist")));
  });
});

describe("with many clients, the table", () => {
  const crowd = (many: number) =>
    Array.from({ length: many }, (_, index) =>
      client(`client-${index + 1}`, index === 4 ? { state: "late", late_since: 190 } : {}),
    );

  it("has one line for each, counts the roles, and keeps the chosen one in the address", async () => {
    const reader = show(<ClientTable />);
    connected({ runs: [run({ id: "aa" })], clients: crowd(60) });
    expect(screen.getByRole("columnheader", { name: "role" })).toBeVisible();
    expect(screen.getByTestId("role-idle")).toHaveTextContent("59 idle");
    await reader.click(screen.getByTestId("role-late"));
    expect(location.search).toBe("?role=late");
    expect(screen.getAllByTestId("client-row").map((row) => row.dataset.client)).toEqual(["client-5"]);
    happens({ seq: 11, time: 201, type: "client_update", data: client("client-5") });
    expect(screen.getByTestId("no-such-client")).toHaveTextContent("No client is late now.");
    await reader.click(screen.getByRole("button", { name: "Show all" }));
    expect(location.search).toBe("");
    expect(screen.queryByTestId("no-such-client")).not.toBeInTheDocument();
  });

  it("has a tile for each of hundreds, whose name stands above when the keyboard is on it", async () => {
    const reader = show(<ClientTable />);
    connected({ runs: [run({ id: "aa" })], clients: crowd(300) });
    const tiles = screen.getAllByTestId("client-tile");
    expect(tiles[0]).toHaveAccessibleName("client-5: late");
    expect(tiles.filter((tile) => tile.tabIndex === 0)).toHaveLength(1);
    act(() => tiles[0]?.focus());
    expect(screen.getByTestId("client-named")).toHaveTextContent("client-5 late 10 s");
    await reader.keyboard("{ArrowRight}");
    expect(screen.getByTestId("client-named")).toHaveTextContent("client-1 idle");
    expect(screen.getByRole("link", { name: "client-1: idle" })).toHaveFocus();
  });
});
