import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { round, run } from "../testing/fixtures";
import { connected, show } from "../testing/page";
import { RoundProgress } from "./RoundProgress";

const rounds = [1, 2].map((number) => round(number, { duration_s: 4 }));

function showRun(changes: Parameters<typeof run>[0], over = rounds): void {
  const shown = run({ id: "aa", round: 3, num_rounds: 10, ...changes });
  show(<RoundProgress run={shown} done={over.length} label={undefined} />);
  connected({ runs: [shown], rounds: { aa: over } });
}

describe("the time that is left", () => {
  it("stands beside the rounds once two have ended", () => {
    showRun({});
    expect(screen.getByTestId("time-left")).toHaveTextContent("about 0:32 left");
  });

  it("is not guessed from a single round", () => {
    showRun({}, rounds.slice(0, 1));
    expect(screen.queryByTestId("time-left")).not.toBeInTheDocument();
  });

  it("is a dash with its reason while the run is paused", () => {
    showRun({ state: "paused" });
    expect(screen.getByTestId("time-left")).toHaveTextContent("– left");
    expect(screen.getByTitle("the run is paused: nobody knows when it goes on")).toBeVisible();
  });
});
