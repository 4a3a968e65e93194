import { screen, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { round, run } from "../testing/fixtures";
import { connected, json, serverAnswers, show } from "../testing/page";
import DataPage from "./DataPage";

const classes = ["cat", "dog"];
const confusion = [
  [9, 1],
  [2, 8],
];
const rounds = [1, 2, 3].map((number) =>
  round(number, { confusion, class_accuracy: [0.9, number / 10], started_at: number }),
);

function open(address: string, clients = ["client-1", "client-2"]) {
  history.replaceState(null, "", address);
  const labels = Object.fromEntries(
    clients.map((id, index) => [id, index === 1 ? [0, 40] : [50, 50]] as const),
  );
  serverAnswers({ "GET /api/v1/runs/7f3a9c01/labels": () => json({ label_counts: labels }) });
  const reader = show(<DataPage />);
  connected({ runs: [run({ clients, classes, state: "completed" })], rounds: { "7f3a9c01": rounds } });
  return reader;
}

describe("the data page", () => {
  it("names the client with unusual data, and has it first", async () => {
    open("/data?view=labels");
    expect(await screen.findByText(/has unusual data, most of all client-2: 100.0 % are dog/)).toBeVisible();
    const rows = within(screen.getByTestId("labels")).getAllByRole("row").slice(1);
    expect(rows.map((row) => row.dataset.row)).toEqual(["client-2", "client-1"]);
    expect(screen.getByRole("link", { name: "client-2" })).toHaveAttribute("href", "/clients/client-2");
  });

  it("keeps in the address what is chosen", async () => {
    const reader = open("/data?view=labels");
    await screen.findByTestId("labels");
    await reader.click(screen.getByTestId("cells-share"));
    await reader.click(screen.getByTestId("order-by name"));
    expect(Object.fromEntries(new URLSearchParams(location.search))).toEqual({
      view: "labels",
      cells: "share",
      order: "by name",
    });
    expect(await within(screen.getByTestId("labels")).findAllByText("50 %")).toHaveLength(2);
    await reader.click(screen.getByTestId("evaluation-classes"));
    expect(screen.getByTestId("confusion")).toBeVisible();
  });

  it("goes to a round by the column of the classes' accuracy", async () => {
    const reader = open("/data?view=rounds");
    const dogs = within(screen.getByTestId("class-rounds")).getAllByRole("row").at(-1);
    expect(dogs).toHaveTextContent(/^dog10203030.0 %$/);
    await reader.click(screen.getByRole("button", { name: "round 1" }));
    expect(location.search).toBe("?view=rounds&round=1");
  });

  it("draws of hundreds of clients only those in view", async () => {
    open(
      "/data?view=labels",
      Array.from({ length: 500 }, (_, index) => `client-${index}`),
    );
    const table = await screen.findByTestId("labels");
    expect(table).toHaveAttribute("aria-rowcount", "501");
    expect(within(table).getAllByRole("row").length).toBeLessThan(60);
  });
});
