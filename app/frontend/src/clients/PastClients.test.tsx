import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { describe, expect, it } from "vitest";
import { runChosen } from "../store/store";
import { client, result, round, run } from "../testing/fixtures";
import { connected, json, serverAnswers, show } from "../testing/page";
import { ClientTable } from "./ClientTable";

const rowOf = (id: string): HTMLElement => {
  const row = screen.getAllByTestId("past-client").find((each) => each.dataset.client === id);
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
    expect(screen.getAllByTestId("past-client").map((row) => row.dataset.client)).toEqual([
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
    expect(screen.getByTestId("no-past-clients")).toHaveTextContent("Run next has no clients yet");
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
