import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import RunPage from "../runs/RunPage";
import { runChosen } from "../store/store";
import { client, result, round, run, spec, waitingFor } from "../testing/fixtures";
import { connected, happens, json, serverAnswers, show } from "../testing/page";
import { ClientTable } from "./ClientTable";

const rowOf = (id: string): HTMLElement => {
  const row = screen.getAllByTestId("run-client").find((each) => each.dataset.client === id);
  if (row === undefined) throw new Error(`no row of ${id}`);
  return row;
};

/** Two runs that divided the data in different ways; the reader looks at the older one. */
function lookAtTheOlder(): void {
  serverAnswers({ "GET /api/v1/runs/old/labels": () => json({ label_counts: { "client-1": [3, 1] } }) });
  show(<ClientTable />);
  connected({
    runs: [
      run({ id: "old", state: "completed", created_at: 1, round: 2, clients: ["client-1", "gone"] }),
      run({ id: "new", clients: ["client-1", "client-9"] }),
    ],
    rounds: {
      old: [
        round(1, { per_client: { "client-1": result({ samples: 4, train_loss: 1, accuracy: 0.5 }) } }),
        round(2, {
          per_client: {
            "client-1": result({ samples: 4, train_loss: 0.9, accuracy: 0.61 }),
            gone: result({ error: "it went away" }),
          },
        }),
      ],
      new: [round(1, { per_client: { "client-1": result({ samples: 900, accuracy: 0.99 }) } })],
    },
    clients: [
      client("client-1", {
        run: "new",
        state: "training",
        samples: 900,
        label_counts: [0, 900],
        accuracy: 0.99,
      }),
      client("client-9", { run: "new" }),
    ],
  });
  act(() => runChosen("old"));
}

describe("the clients of a past run", () => {
  it("are those that took part in it, with what they did in it", async () => {
    lookAtTheOlder();
    expect(screen.getByRole("heading", { name: "clients of run old" })).toBeVisible();
    expect(screen.getAllByTestId("run-client").map((row) => row.dataset.client)).toEqual([
      "client-1",
      "gone",
    ]);
    const first = within(rowOf("client-1"));
    expect(first.getByTestId("client-accuracy")).toHaveTextContent("61.0 %");
    expect(first.getByTitle("rounds in which its update counted")).toHaveTextContent("2 of 2");
    expect(await first.findByRole("button", { name: "samples by label: 0: 3, 1: 1" })).toHaveAttribute(
      "title",
      "training samples by label\n0: 3\n1: 1",
    );
    expect(within(rowOf("gone")).getByTestId("client-note")).toHaveTextContent("failed in 2");
    expect(screen.queryByText("900")).not.toBeInTheDocument();
    expect(screen.queryByText("99.0 %")).not.toBeInTheDocument();
  });

  it("are counted by the server where the page does not keep all of the rounds", async () => {
    const asked = serverAnswers({
      "GET /api/v1/runs/old/labels": () => json({ label_counts: {} }),
      "GET /api/v1/runs/old/delivered": () => json({ delivered: { "client-1": 98_999 }, round: 99_999 }),
    });
    show(<ClientTable />);
    const clients = ["client-1", "gone"];
    connected({
      runs: [
        run({ id: "old", state: "completed", created_at: 1, round: 100_000, clients }),
        run({ id: "new" }),
      ],
      rounds: { old: [round(100_000, { per_client: { "client-1": result({ samples: 4 }) } })] },
    });
    act(() => runChosen("old"));
    await waitFor(() => expect(rowOf("client-1")).toHaveTextContent("99,000 of 100,000"));
    expect(rowOf("gone")).toHaveTextContent("0 of 100,000");
    expect(asked.filter(({ what }) => what.includes("delivered"))).toHaveLength(1);
  });

  it("open to why they failed, and to the numbers of another app", () => {
    lookAtTheOlder();
    const gone = within(rowOf("gone"));
    expect(gone.getByTestId("client-more")).toHaveTextContent("error");
    fireEvent.click(gone.getByTestId("client-more"));
    expect(screen.getByTestId("client-details")).toHaveTextContent("it went away");
    expect(within(rowOf("client-1")).queryByTestId("client-more")).not.toBeInTheDocument();
  });

  it("tell what they had spent of their privacy then", () => {
    serverAnswers({ "GET /api/v1/runs/old/labels": () => json({ label_counts: {} }) });
    show(<ClientTable />);
    const spec = {
      ...run().spec,
      dp: { noise_multiplier: 1, target_epsilon: null, clipping_norm: 1, delta: 1e-5 },
    };
    connected({
      runs: [
        run({ id: "old", state: "completed", created_at: 1, round: 1, clients: ["client-1"], spec }),
        run({ id: "new" }),
      ],
      rounds: { old: [round(1, { per_client: { "client-1": result({ epsilon: 4.51 }) } })] },
      clients: [client("client-1", { run: "new" })],
    });
    act(() => runChosen("old"));
    expect(within(rowOf("client-1")).getByTestId("client-epsilon")).toHaveTextContent("4.51");
  });

  it("can be read by everybody", async () => {
    lookAtTheOlder();
    const found = await axe.run(document.body, { rules: { region: { enabled: false } } });
    expect(found.violations).toEqual([]);
  });
});

describe("the clients of a run in the queue", () => {
  it("are nobody yet, whatever the clients do in the run before it", () => {
    serverAnswers({});
    show(<ClientTable />);
    connected({
      runs: [
        run({ id: "next", state: "queued", round: 0, created_at: 200 }),
        run({ id: "now", clients: ["client-1"], created_at: 100 }),
      ],
      clients: [client("client-1", { run: "now", state: "training", accuracy: 0.99 })],
    });
    expect(screen.getByRole("heading", { name: "clients" })).toBeVisible();
    act(() => runChosen("next"));
    expect(screen.getByRole("heading", { name: "clients of run next" })).toBeVisible();
    expect(screen.getByTestId("no-run-clients")).toHaveTextContent("Run next has no clients yet");
    expect(screen.queryByText("99.0 %")).not.toBeInTheDocument();
    expect(screen.queryByTestId("client-row")).not.toBeInTheDocument();
    expect(screen.getByTestId("client-count")).toHaveTextContent("1 connected now");
  });
});

describe("the clients of the run that goes on", () => {
  it("show nothing that they told in another run", () => {
    show(<ClientTable />);
    connected({
      runs: [run({ id: "new" })],
      clients: [client("client-1", { run: "old", samples: 4, label_counts: [3, 1], accuracy: 0.61 })],
    });
    expect(screen.getByTestId("client-accuracy")).toHaveTextContent("–");
    expect(screen.queryByTestId("label-strip")).not.toBeInTheDocument();
  });
});

/** What the page of the newest run shows of its clients. */
function openClients(id: string): ReturnType<typeof show> {
  serverAnswers({ [`GET /api/v1/runs/${id}/labels`]: () => json({ label_counts: { gone: [3, 1] } }) });
  act(() => runChosen(id));
  return show(<RunPage id={id} part="clients" failure={null} />);
}

const shownIds = () => screen.getAllByTestId("run-client").map((row) => row.dataset.client);

describe("the clients of the newest run", () => {
  const part = result({ samples: 4, train_loss: 0.9, accuracy: 0.61, train_s: 1 });

  it("are its own, whoever is there now: one that was forgotten stays, one that has come since is none", async () => {
    openClients("new");
    connected({
      runs: [run({ id: "new", state: "completed", round: 2, clients: ["here"] })],
      rounds: {
        new: [
          round(1, { per_client: { here: part, gone: part, broken: result({ error: "KeyError" }) } }),
          round(2, { per_client: { here: part } }),
        ],
      },
      clients: [client("here", { run: "new", accuracy: 0.61 }), client("visitor")],
    });
    expect(shownIds()).toEqual(["broken", "gone", "here"]);
    const gone = within(rowOf("gone"));
    expect(gone.getByTitle("rounds in which its update counted")).toHaveTextContent("1 of 2");
    expect(gone.getByTestId("client-accuracy")).toHaveTextContent("61.0 %");
    expect(await gone.findByRole("button", { name: "samples by label: 0: 3, 1: 1" })).toBeVisible();
  });

  it("are shown as they work while the run goes on, and stay when one is forgotten", () => {
    openClients("new");
    const working = client("b", {
      run: "new",
      state: "training",
      round: 2,
      progress: { done: 5, total: 20, examples_per_s: 9, loss: null },
    });
    connected({
      runs: [run({ id: "new", round: 2, clients: ["a", "b"] })],
      rounds: { new: [round(1, { per_client: { a: part, b: part } }), round(2, { complete: false })] },
      clients: [client("a", { run: "new" }), working, client("visitor")],
    });
    expect(shownIds()).toEqual(["a", "b"]);
    expect(within(rowOf("b")).getByRole("progressbar")).toHaveAttribute("aria-valuenow", "5");

    happens(
      {
        seq: 11,
        time: 201,
        type: "client_update",
        data: { ...working, state: "late", progress: null, late_since: 190 },
      },
      {
        seq: 12,
        time: 201,
        type: "metrics_change",
        data: {
          run_id: "new",
          round: 2,
          fields: {},
          per_client: { a: result({ train_s: 3.2, train_loss: 0.5, samples: 4 }) },
        },
      },
    );
    expect(shownIds()).toEqual(["b", "a"]);
    expect(within(rowOf("b")).getByTestId("client-state")).toHaveTextContent("late");
    const first = within(rowOf("a"));
    expect(first.getByTestId("client-state")).toHaveTextContent("delivered");
    expect(rowOf("a")).toHaveTextContent("train 0.500");
    expect(first.getByTestId("client-accuracy")).toHaveTextContent("61.0 %");

    happens({ seq: 13, time: 202, type: "client_gone", data: { id: "b" } });
    expect(shownIds()).toEqual(["a", "b"]);
    expect(within(rowOf("b")).getByTestId("client-state")).toHaveTextContent("takes no part");
  });

  it("keep their labels, which the server knows also of one that was forgotten", async () => {
    let kept: Record<string, number[]> = {};
    let answers = 0;
    const answer = () => {
      answers += 1;
      return json({ label_counts: kept });
    };
    serverAnswers({ "GET /api/v1/runs/new/labels": answer });
    act(() => runChosen("new"));
    show(<RunPage id="new" part="clients" failure={null} />);
    connected({
      runs: [run({ id: "new", round: 1, clients: ["a"] })],
      rounds: { new: [round(1, { per_client: { a: part } })] },
      clients: [client("a", { run: "new", label_counts: [3, 1] })],
    });
    const labels = { name: "samples by label: 0: 3, 1: 1" };
    expect(within(rowOf("a")).getByRole("button", labels)).toBeVisible();
    await waitFor(() => expect(answers).toBe(1));
    kept = { a: [3, 1] };
    happens({ seq: 11, time: 201, type: "client_gone", data: { id: "a" } });
    expect(await within(rowOf("a")).findByRole("button", labels)).toBeVisible();
  });

  it("are those of whom the server has counted something, too", async () => {
    serverAnswers({
      "GET /api/v1/runs/new/labels": () => json({ label_counts: {} }),
      "GET /api/v1/runs/new/delivered": () =>
        json({ delivered: { "client-1": 99_999, early: 7 }, round: 99_999 }),
    });
    act(() => runChosen("new"));
    show(<RunPage id="new" part="clients" failure={null} />);
    connected({
      runs: [run({ id: "new", state: "completed", round: 100_000, clients: ["client-1", "client-2"] })],
      rounds: { new: [round(100_000, { per_client: { "client-1": part, "client-2": part } })] },
    });
    await waitFor(() => expect(rowOf("early")).toHaveTextContent("7 of 100,000"));
    expect(shownIds()).toEqual(["client-1", "client-2", "early"]);
  });

  it("are asked for, as long as the run waits for them", async () => {
    openClients("new");
    connected({
      runs: [
        run({
          id: "new",
          round: 0,
          state: "waiting",
          waiting_for: waitingFor("clients", { have: 1, need: 2 }),
        }),
      ],
      clients: [client("a")],
    });
    expect(screen.getByTestId("no-run-clients")).toHaveTextContent("Run new has no clients yet.");
    await waitFor(() =>
      expect(screen.getByTestId("more-clients")).toHaveTextContent("1 of 2 clients are there. Start 1 more:"),
    );
  });
});

describe("many clients of a run", () => {
  // Nothing is laid out here, and which rows are drawn goes by their height and the list's.
  beforeEach(() => {
    vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockImplementation(function (this: HTMLElement) {
      return this.dataset.index === undefined ? 600 : 24;
    });
  });
  afterEach(() => vi.restoreAllMocks());

  const names = (many: number) => Array.from({ length: many }, (_, index) => `simulated-${index}`);

  /** A run on Flower's simulation engine, of which Live shows the clients. */
  function simulates(many: number): ReturnType<typeof show> {
    serverAnswers({});
    const reader = show(<ClientTable />);
    connected({
      runs: [
        run({
          id: "aa",
          round: 1,
          clients: names(many),
          spec: spec({ engine: "simulation", simulated_clients: many }),
          progress: { phase: "training", done: 2, total: many, since: 150 },
        }),
      ],
      rounds: {
        aa: [
          round(1, {
            complete: false,
            per_client: {
              "simulated-7": result({ train_s: 1.2, train_loss: 0.5, samples: 4 }),
              "simulated-9": result({ error: "KeyError" }),
            },
          }),
        ],
      },
    });
    return reader;
  }

  it("have one line each, and counts of their roles that are filters in the address", async () => {
    const reader = simulates(16);
    expect(screen.getByRole("columnheader", { name: "role" })).toBeVisible();
    expect(shownIds().slice(0, 2)).toEqual(["simulated-9", "simulated-0"]);
    expect(within(rowOf("simulated-7")).getByTestId("client-state")).toHaveTextContent("delivered");
    expect(screen.getByTestId("role-asked")).toHaveTextContent("14 asked");
    await reader.click(screen.getByTestId("role-failed"));
    expect(location.search).toBe("?role=failed");
    expect(shownIds()).toEqual(["simulated-9"]);
    await reader.click(screen.getByRole("button", { name: "error" }));
    expect(screen.getByTestId("traceback")).toHaveTextContent("KeyError");
    happens({
      seq: 11,
      time: 201,
      type: "metrics_change",
      data: { run_id: "aa", round: 1, fields: {}, per_client: { "simulated-9": result({ train_s: 2 }) } },
    });
    expect(screen.getByTestId("no-such-client")).toHaveTextContent("No client is failed now.");
    await reader.click(screen.getByRole("button", { name: "Show all" }));
    expect(location.search).toBe("");
    expect(screen.getByTestId("role-delivered")).toHaveTextContent("2 delivered");
  });

  it("are tiles from a hundred on, with those first that hold up the run, for the keyboard too", async () => {
    const reader = simulates(300);
    const tiles = screen.getAllByTestId("client-tile");
    expect(tiles.slice(0, 2).map((tile) => tile.getAttribute("aria-label"))).toEqual([
      "simulated-9: failed",
      "simulated-0: asked",
    ]);
    expect(screen.queryByTestId("run-client")).not.toBeInTheDocument();
    expect(screen.getByTestId("role-asked")).toHaveTextContent("298 asked");
    expect(tiles.filter((tile) => tile.tabIndex === 0)).toHaveLength(1);
    act(() => tiles[0]?.focus());
    expect(screen.getByTestId("client-named")).toHaveTextContent("simulated-9 failed");
    await reader.keyboard("{ArrowRight}");
    expect(screen.getByRole("link", { name: "simulated-0: asked" })).toHaveFocus();
    await reader.click(screen.getByTestId("role-delivered"));
    expect(shownIds()).toEqual(["simulated-7"]);
  });

  it("can be read by everybody, in lines and as tiles", async () => {
    const reader = simulates(100);
    const found = await axe.run(document.body, { rules: { region: { enabled: false } } });
    expect(found.violations).toEqual([]);
    await reader.click(screen.getByTestId("role-delivered"));
    const filtered = await axe.run(document.body, { rules: { region: { enabled: false } } });
    expect(filtered.violations).toEqual([]);
  });
});
