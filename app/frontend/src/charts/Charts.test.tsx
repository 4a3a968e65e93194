import { screen, within } from "@testing-library/react";
import type { UserEvent } from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Round } from "../api/types";
import { result, round, run, spec } from "../testing/fixtures";
import { connected, happens, show } from "../testing/page";
import { Charts } from "./Charts";

/** What was given to be drawn, each once. */
const drawings = vi.hoisted(() => new Set<unknown>());

// A canvas draws nothing in jsdom; the browser tests look at the curves.
vi.mock("./useChart", () => ({
  useChart: (_element: unknown, build: unknown) => {
    drawings.add(build);
    return { zoomed: false, reset: () => undefined };
  },
}));

beforeEach(() => {
  localStorage.clear();
  drawings.clear();
});

const chart = (slot: string): HTMLElement => screen.getByTestId(`chart-${slot}`);
const metrics = (): (string | undefined)[] => ["accuracy", "loss"].map((slot) => chart(slot).dataset.metric);
const choice = (of: "upper" | "lower"): HTMLElement =>
  screen.getByRole("combobox", { name: `metric of the ${of} chart` });

/** A round of an app whose clients report an AUC of two stages and an RMSE. */
function withNumbers(number: number, changes: Partial<Round> = {}): Round {
  return round(number, {
    metrics: { train: { auc: 0.5 + number / 100 }, evaluate: { auc: 0.7 + number / 100, rmse: 3 / number } },
    per_client: {
      "client-1": result({ stages: { train: { auc: 0.4 }, evaluate: { auc: 0.65, rmse: 2 } } }),
      "client-2": result({ stages: { train: { auc: 0.6 } } }),
    },
    ...changes,
  });
}

function ofApp(app: string, rounds: Round[]): UserEvent {
  const reader = show(<Charts failure={null} />);
  connected({ runs: [run({ id: "aa", spec: spec({ app }) })], rounds: { aa: rounds } });
  return reader;
}

async function choose(reader: UserEvent, of: "upper" | "lower", typed: string): Promise<void> {
  await reader.click(choice(of));
  await reader.keyboard(`${typed}{Enter}`);
}

describe("the charts of the built-in app", () => {
  const parts = { "client-1": result({ train_loss: 0.4 }), "client-2": result({ train_loss: 0.6 }) };
  const own = [round(1, { accuracy: 0.9, loss: 0.2, train_loss: 0.5, per_client: parts })];

  it("are accuracy and loss, until the reader chooses the loss in training", async () => {
    const reader = show(<Charts failure={null} />);
    connected({ runs: [run({ id: "aa" })], rounds: { aa: own } });
    expect(screen.getByRole("heading", { name: "accuracy" })).toBeInTheDocument();
    expect(metrics()).toEqual(["accuracy", "loss"]);
    await reader.click(choice("lower"));
    expect(screen.getAllByRole("option").map((each) => each.textContent)).toEqual([
      "accuracy",
      "loss",
      "training loss",
    ]);
    await reader.click(screen.getByRole("option", { name: "training loss" }));
    expect(metrics()).toEqual(["accuracy", "train_loss"]);
    expect(chart("loss").dataset).toMatchObject({ points: "1", clients: "2", source: "training" });
    expect(screen.getByRole("region", { name: "training loss" })).toHaveTextContent(
      "mean of the clients, round 1 · while training",
    );
    connected({ runs: [run({ id: "bb" })], rounds: { bb: own } });
    expect(metrics()).toEqual(["accuracy", "train_loss"]);
  });

  it("have nothing to choose where there is no run", () => {
    show(<Charts failure={null} />);
    connected();
    expect(screen.getByRole("heading", { name: "accuracy" })).toBeVisible();
    expect(screen.queryByRole("combobox")).not.toBeInTheDocument();
  });
});

describe("what the charts draw", () => {
  const training = run({ id: "aa", state: "running", round: 2, started_at: 100 });
  const told = (seq: number, done: number): void =>
    happens({
      ...{ seq, time: 100 + seq, type: "run_update" },
      data: { ...training, progress: { phase: "training", done, total: 3, since: 110 } },
    });

  it.each(["", "?x=elapsed&smooth=0.5"])("changes with a round, not with a run's progress: %s", (address) => {
    history.replaceState(null, "", `/${address}`);
    show(<Charts failure={null} />);
    connected({ runs: [training], rounds: { aa: [round(1, { accuracy: 0.9 })] } });
    const before = drawings.size;

    told(11, 1);
    told(12, 2);
    happens({
      ...{ seq: 13, time: 113, type: "metrics_update" },
      data: { run_id: "aa", round: round(2, { complete: false }) },
    });
    expect(drawings.size).toBe(before);

    happens({
      ...{ seq: 14, time: 114, type: "metrics_update" },
      data: { run_id: "aa", round: round(2, { accuracy: 0.95 }) },
    });
    expect(drawings.size).toBe(before + 3);
  });
});

describe("the charts of another app", () => {
  it("are of its first two numbers where it has neither accuracy nor loss", () => {
    ofApp("credit", [withNumbers(1), withNumbers(2)]);
    expect(metrics()).toEqual(["evaluate/auc", "evaluate/rmse"]);
    expect(screen.getByRole("region", { name: "auc · evaluate" })).toHaveTextContent(
      "0.72aggregate, round 2 · as the app's strategy aggregates it",
    );
    expect(chart("accuracy").dataset).toMatchObject({ points: "2", clients: "1", source: "aggregate" });
  });

  it("keep accuracy and loss while the first round is not over", () => {
    ofApp("credit", [withNumbers(1, { complete: false })]);
    expect(metrics()).toEqual(["accuracy", "loss"]);
    happens({ seq: 11, time: 201, type: "metrics_update", data: { run_id: "aa", round: withNumbers(1) } });
    expect(metrics()).toEqual(["evaluate/auc", "evaluate/rmse"]);
  });

  it("show what the reader picks from all that there is", async () => {
    const reader = ofApp("credit", [withNumbers(1, { client_loss: 0.5 }), withNumbers(2)]);
    await reader.click(choice("upper"));
    expect(screen.getAllByRole("option").map((each) => each.textContent)).toEqual([
      "loss",
      "auc · evaluate",
      "rmse · evaluate",
      "auc · train",
    ]);
    await reader.click(screen.getByRole("option", { name: "auc · train" }));
    expect(metrics()).toEqual(["train/auc", "loss"]);
    expect(chart("accuracy").dataset.clients).toBe("2");
    expect(screen.queryByRole("option")).not.toBeInTheDocument();
  });

  it("are chosen with the keyboard alone, by a part of the name", async () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`layer-${at}/norm`, at]));
    const reader = ofApp("deep", [round(1, { metrics: { train: many } })]);
    expect(metrics()).toEqual(["train/layer-0/norm", "train/layer-1/norm"]);
    while (document.activeElement !== choice("upper")) await reader.tab();
    await reader.keyboard("layer-217");
    expect(screen.getAllByRole("option")).toHaveLength(1);
    await reader.keyboard("{Enter}");
    expect(metrics()[0]).toBe("train/layer-217/norm");
    await reader.clear(choice("upper"));
    await reader.keyboard("no such thing");
    expect(screen.getByText("the run has no such number")).toBeVisible();
    await reader.tab();
    expect(choice("upper")).toHaveValue("layer-217/norm · train");
  });

  it("are remembered for the app, and for no other", async () => {
    const reader = ofApp("credit", [withNumbers(1)]);
    await choose(reader, "lower", "train");
    expect(metrics()).toEqual(["evaluate/auc", "train/auc"]);
    const again = run({ id: "bb", created_at: 200, spec: spec({ app: "credit" }) });
    const other = run({ id: "cc", created_at: 300, spec: spec({ app: "prices" }) });
    const rounds = { bb: [withNumbers(1)], cc: [withNumbers(1)] };
    connected({ runs: [again], rounds });
    expect(metrics()).toEqual(["evaluate/auc", "train/auc"]);
    connected({ runs: [other], rounds });
    expect(metrics()).toEqual(["evaluate/auc", "evaluate/rmse"]);
  });

  it("do not care what else is kept in the browser under that name", () => {
    localStorage.setItem("fedloom-metrics", '{"credit": {"accuracy": 7, "loss": "evaluate/auc"}, "x": "y"}');
    ofApp("credit", [withNumbers(1)]);
    expect(metrics()).toEqual(["evaluate/rmse", "evaluate/auc"]);
  });

  it("name a round as the app does, too", () => {
    ofApp("credit", [withNumbers(4, { label: "1" })]);
    const upper = within(screen.getByRole("region", { name: "auc · evaluate" }));
    expect(upper.getByText(/round 4 \(the app's 1\)/)).toBeVisible();
    expect(chart("accuracy")).toHaveAccessibleName(/at round 4 \(the app's 1\)/);
  });
});
