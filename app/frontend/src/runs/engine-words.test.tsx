import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { ClientTable } from "../clients/ClientTable";
import { client, result, round, run, spec } from "../testing/fixtures";
import { connected, json, serverAnswers, show } from "../testing/page";
import { specWords } from "./spec-words";

const SIMULATED = spec({ engine: "simulation", simulated_clients: 1_000 });

describe("a run on one of Flower's engines", () => {
  it("is named with its engine, and any other is not", () => {
    const titleOf = (name: string): string => name;
    expect(specWords(SIMULATED, titleOf)).toContain("Flower's simulation of 1,000 clients");
    expect(specWords(spec({ engine: "superlink" }), titleOf)).toContain("Flower's SuperLink");
    expect(specWords(spec(), titleOf)).not.toContain("Flower");
  });

  it("shows its own clients while it goes on, and says what they do not have", () => {
    serverAnswers({ "GET /api/v1/runs/aa/labels": () => json({ label_counts: {} }) });
    show(<ClientTable />);
    connected({
      runs: [run({ id: "aa", spec: SIMULATED, clients: ["simulated-0", "simulated-1"] })],
      rounds: { aa: [round(1, { per_client: { "simulated-1": result({ samples: 7, accuracy: 0.5 }) } })] },
      clients: [client("client-1")],
    });
    const shown = screen.getAllByTestId("run-client").map((row) => row.dataset.client);
    expect(shown).toEqual(["simulated-0", "simulated-1"]);
    expect(screen.getByTestId("engine-note")).toHaveTextContent("there are no verdicts and receipts");
    expect(screen.getByText("50.0 %")).toBeVisible();
  });

  it("has no clients yet where its engine is started, and no note of others", () => {
    show(<ClientTable />);
    connected({ runs: [run({ id: "aa", state: "waiting", spec: SIMULATED, clients: [] })] });
    expect(screen.getByText("Run aa has no clients yet.")).toBeVisible();
  });

  it("changes nothing for the clients of any other run", () => {
    show(<ClientTable />);
    connected({ runs: [run({ clients: ["client-1"] })], clients: [client("client-1")] });
    expect(screen.queryByTestId("engine-note")).toBeNull();
    expect(screen.getByTestId("client-row")).toBeVisible();
  });
});
