import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { client, result, round, run } from "../testing/fixtures";
import { connected, happens, json, serverAnswers, show } from "../testing/page";
import ClientsPage from "./ClientsPage";

const KEY = "YR27AJ7-I34UCDW-T4VRRPG-GCP7D6L-TVXMAHD-UM5YZBH-56FRE7A-XYJSUA3";

function ids(): (string | undefined)[] {
  return screen.getAllByTestId("client-row").map((row) => row.dataset.client);
}

describe("the clients page", () => {
  it("has a line for each client, with its key and what it has done in the run", () => {
    serverAnswers({});
    show(<ClientsPage />);
    connected({
      clients: [
        client("mary", {
          key: KEY,
          host: "attic",
          verdicts: { accepted: 3, late: 1 },
          bytes_received: 1_640_000,
        }),
      ],
      runs: [run({ state: "completed", clients: ["mary"], round: 4 })],
      rounds: {
        "7f3a9c01": [1, 2].map((number) =>
          round(number, { per_client: { mary: result({ train_loss: 1 }) } }),
        ),
      },
    });
    const row = screen.getByTestId("client-row");
    expect(within(row).getByRole("link", { name: "mary" })).toHaveAttribute("href", "/clients/mary");
    expect(row).toHaveTextContent("YR27-AJ7I");
    expect(row).toHaveTextContent("2 of 4");
    expect(row).toHaveTextContent("1.6 MB");
    expect(screen.getByTestId("sort-received")).toHaveAttribute(
      "title",
      expect.stringContaining("since the server"),
    );
    expect(screen.getByTestId("client-refused")).toHaveTextContent("1");
  });

  it("puts in order, searches and filters, and says so in the address", async () => {
    serverAnswers({});
    const reader = show(<ClientsPage />);
    connected({
      clients: [
        client("a", { accuracy: 0.5 }),
        client("b", { accuracy: 0.9, host: "attic" }),
        client("c", { state: "lost" }),
      ],
    });
    await reader.click(screen.getByTestId("sort-accuracy"));
    expect(ids()).toEqual(["b", "a", "c"]);
    expect(screen.getByRole("columnheader", { name: /accuracy/ })).toHaveAttribute("aria-sort", "descending");
    await reader.click(screen.getByTestId("role-lost"));
    expect(ids()).toEqual(["c"]);
    await reader.type(screen.getByRole("searchbox"), "attic");
    expect(screen.getByTestId("no-such-client")).toHaveTextContent("None of 3 clients is like this.");
    expect(location.search).toBe("?q=attic&role=lost&sort=accuracy&order=desc");
    await reader.click(screen.getByRole("button", { name: "Show all" }));
    expect(ids()).toEqual(["b", "a", "c"]);
  });

  it("has the rounds counted by the server, and those since, where the page does not keep all of them", async () => {
    const asked = serverAnswers({
      "GET /api/v1/runs/7f3a9c01/delivered": () => json({ delivered: { mary: 98_000 }, round: 99_998 }),
    });
    show(<ClientsPage />);
    const per_client = { mary: result({ samples: 4 }) };
    connected({
      clients: [client("mary"), client("new")],
      runs: [run({ clients: ["mary", "new"], round: 100_000, num_rounds: null })],
      rounds: { "7f3a9c01": [99_998, 99_999].map((number) => round(number, { per_client })) },
    });
    await waitFor(() =>
      expect(screen.getAllByTestId("client-row")[0]).toHaveTextContent("98,001 of 100,000"),
    );
    const data = { run_id: "7f3a9c01", round: round(100_000, { per_client }) };
    happens({ seq: 11, time: 201, type: "metrics_update", data });
    expect(screen.getAllByTestId("client-row")[0]).toHaveTextContent("98,002 of 100,000");
    expect(asked.filter(({ what }) => what.includes("delivered"))).toHaveLength(1);
  });

  it("has those who ask to join above the others", () => {
    serverAnswers({});
    show(<ClientsPage />);
    connected({
      clients: [client("mary"), client("eve", { key: KEY, membership: "pending", state: "lost" })],
    });
    expect(screen.getByTestId("applicant")).toHaveTextContent("eve");
    expect(ids()).toEqual(["mary"]);
    expect(screen.getByTestId("client-count")).toHaveTextContent("1 connected");
  });
});
