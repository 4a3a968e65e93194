import { screen, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { checkpoint, round, run } from "../testing/fixtures";
import { connected, happens, json, problem, serverAnswers, show } from "../testing/page";
import Files from "./Files";

const LIST = "GET /api/v1/runs/aa/checkpoints";
const rows = (): (string | undefined)[] =>
  screen.queryAllByTestId("checkpoint-row").map((row) => row.dataset.round);

describe("the files of a run", () => {
  it("are its checkpoints, newest first, each to download", async () => {
    serverAnswers({ [LIST]: () => json({ checkpoints: [checkpoint(1, { best: true }), checkpoint(2)] }) });
    show(<Files />);
    connected({ runs: [run({ id: "aa" })] });
    const link = await screen.findByRole("link", { name: "Download the model of round 2" });
    expect(link).toHaveAttribute("href", "/api/v1/runs/aa/checkpoints/2");
    expect(rows()).toEqual(["2", "1"]);
    const best = screen.getAllByTestId("checkpoint-row").filter((row) => within(row).queryByText("best"));
    expect(best.map((row) => row.dataset.round)).toEqual(["1"]);
  });

  it("are its exports, and the command that makes them", () => {
    serverAnswers({});
    show(<Files />);
    connected({ runs: [run({ id: "a/b" })] });
    expect(screen.getByTestId("export-csv")).toHaveAttribute("href", "/api/v1/runs/a%2Fb/export?format=csv");
    expect(screen.getByTestId("export-command")).toHaveTextContent("python -m app.export a/b");
  });

  it("are asked for again when a round has ended", async () => {
    let kept = [checkpoint(1)];
    serverAnswers({ [LIST]: () => json({ checkpoints: kept }) });
    show(<Files />);
    connected({ runs: [run({ id: "aa" })], rounds: { aa: [round(1)] } });
    await screen.findByRole("link", { name: "Download the model of round 1" });
    kept = [checkpoint(1), checkpoint(2)];
    happens({ seq: 11, time: 201, type: "metrics_update", data: { run_id: "aa", round: round(2) } });
    await screen.findByRole("link", { name: "Download the model of round 2" });
    expect(rows()).toEqual(["2", "1"]);
  });

  it("say in the server's words why they cannot be listed", async () => {
    serverAnswers({ [LIST]: () => problem(503, "The folder of checkpoints cannot be read.") });
    show(<Files />);
    connected({ runs: [run({ id: "aa" })] });
    expect(await screen.findByRole("alert")).toHaveTextContent(
      "The checkpoints of run aa could not be listed: The folder of checkpoints cannot be read.",
    );
  });
});
