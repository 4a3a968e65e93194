import { act, screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { describe, expect, it } from "vitest";
import { batchesReceived, connectionChanged, useStore } from "../store/store";
import { client, round, run, usage } from "../testing/fixtures";
import { connected, json, problem, serverAnswers, show } from "../testing/page";
import System from "./System";

const ASKED = "GET /api/v1/system?points=90";
const node = (name: string | null, ...times: number[]) => ({
  client: name,
  connected: true,
  latest: null,
  series: times.map((time) => usage(time, { process_cores: time / 100 })),
});
const answers = (...nodes: ReturnType<typeof node>[]) => ({
  [ASKED]: () => json({ since: 0, until: 200, step_s: 10, nodes }),
});
const rows = (): HTMLElement[] => screen.getAllByTestId("system-row");
/** The charts of a row. */
const charts = (row: number): HTMLElement[] =>
  within(rows()[row] ?? document.body).getAllByTestId("system-chart");

describe("the system", () => {
  it("is one row for each node, in numbers and as lines, with the rounds behind", async () => {
    serverAnswers(answers(node(null, 180, 199), node("client-1", 190, 199)));
    show(<System />);
    connected({
      clients: [client("client-1")],
      runs: [run()],
      rounds: { "7f3a9c01": [round(1, { started_at: 150, duration_s: 20 })] },
    });
    await waitFor(() => expect(rows()).toHaveLength(2));
    const [, first] = rows();
    expect(screen.getByRole("rowheader", { name: "server" })).toBeVisible();
    expect(first).toHaveTextContent("2.0 of 4 cores, all 50.0 %");
    expect(first).toHaveTextContent("1.0 GB, all 4.0 GB of 8.0 GB");
    expect(first).toHaveTextContent("2.0 MB/s, 30.0 GB of 100 GB");
    expect(first).toHaveTextContent("↑ 1.0 kB/s ↓ 5.0 kB/s");
    expect(first?.querySelectorAll("svg")).toHaveLength(4);
    expect(first?.querySelectorAll("rect")).toHaveLength(4);
    expect(screen.queryByRole("columnheader", { name: "GPU" })).not.toBeInTheDocument();
  });

  it("follows what the socket tells, of all nodes at once", async () => {
    serverAnswers(answers(node(null, 199)));
    show(<System />);
    connected({ clients: [client("client-1")] });
    await waitFor(() => expect(rows()).toHaveLength(2));
    expect(rows()[1]).toHaveTextContent("tells nothing of its machine");
    act(() =>
      batchesReceived([
        {
          events: [],
          links: null,
          usage: {
            nodes: [
              { client: null, usage: usage(200, { process_cores: 3 }) },
              { client: "client-1", usage: usage(200, { process_cores: 0.5 }) },
            ],
          },
        },
      ]),
    );
    expect(rows()[0]).toHaveTextContent("3.0 of 4 cores");
    expect(rows()[1]).toHaveTextContent("0.5 of 4 cores");
    expect(rows()[1]).toHaveAttribute("data-stale", "false");
  });

  it("moves one time for all rows by the keyboard, and goes back to now", async () => {
    serverAnswers(answers(node(null, 180, 199), node("client-1", 180, 199)));
    const reader = show(<System />);
    connected({
      clients: [client("client-1")],
      runs: [run()],
      rounds: { "7f3a9c01": [round(7, { started_at: 170, duration_s: 20 })] },
    });
    await waitFor(() => expect(rows()).toHaveLength(2));
    while (document.activeElement !== charts(0)[0]) await reader.tab();
    await reader.keyboard("{ArrowLeft>10/}");
    for (const row of rows()) expect(row).toHaveTextContent("1.8 of 4 cores");
    expect(screen.getByTestId("system-moment")).toHaveTextContent("in round 7");
    await reader.keyboard("{ArrowRight}");
    await reader.keyboard("{Escape}");
    for (const row of rows()) expect(row).toHaveTextContent("2.0 of 4 cores");
    expect(screen.getByTestId("system-moment")).toHaveTextContent("the last 1 minute with");
  });

  it("has charts that tell in words what they show, one row of them in the way of the tab key", async () => {
    serverAnswers(answers(node(null, 180, 199), node("client-1", 180, 199)));
    const reader = show(<System />);
    connected({ clients: [client("client-1")] });
    await waitFor(() => expect(rows()).toHaveLength(2));
    const [cpu, memory] = charts(0);
    expect(cpu).toHaveAccessibleName(
      "CPU of server; left and right move the time, up and down change the node",
    );
    expect(cpu).toHaveAttribute(
      "aria-valuetext",
      "now, and the last 1 minute with the rounds behind: 2.0 of 4 cores, all 50.0 %",
    );
    while (document.activeElement !== memory) await reader.tab();
    expect(charts(1).map((chart) => chart.tabIndex)).toEqual([-1, -1, -1, -1]);
    await reader.keyboard("{ArrowDown}");
    expect(charts(1)[1]).toHaveFocus();
    expect(charts(1)[1]).toHaveAccessibleName(/^memory of client-1;/);
    await reader.keyboard("{Home}");
    expect(charts(1)[1]).toHaveAttribute("aria-valuenow", "-60");
    expect(charts(0)[0]?.getAttribute("aria-valuetext")).toMatch(
      /^\d+:\d\d:\d\d.*: no value, nothing was heard at that time$/,
    );
    await reader.keyboard("{End}{ArrowUp}");
    expect(memory).toHaveFocus();
    expect(memory).toHaveAttribute("aria-valuenow", "0");
  });

  it("goes back half a day, asked for once, with the gap in which the server was down", async () => {
    const LONG = "GET /api/v1/system?points=720&since=56800";
    const asked = serverAnswers({
      ...answers(node(null, 99_999)),
      [LONG]: () =>
        json({ since: 56_800, until: 1e5, step_s: 60, nodes: [node(null, 60_000, 60_060, 90_000, 90_060)] }),
    });
    const reader = show(<System />);
    connected({ time: 100_000 });
    await reader.click(await screen.findByRole("button", { name: "12 h" }));
    expect(location.search).toBe("?history=12h");
    await waitFor(() => expect(rows()[0]?.querySelector("svg")?.dataset.points).toBe("4"));
    expect(screen.getByTestId("system-moment")).toHaveTextContent("the last 12 hours with");
    const line = (): string => rows()[0]?.querySelectorAll("path")[1]?.getAttribute("d") ?? "";
    const before = line();
    expect(before.match(/M/g)).toHaveLength(2);

    const tells = (time: number): void =>
      act(() =>
        batchesReceived([
          {
            events: [],
            links: null,
            usage: { nodes: [{ client: null, usage: usage(time, { process_cores: time / 50_000 }) }] },
          },
        ]),
      );
    tells(100_000);
    tells(100_002);
    expect(rows()[0]).toHaveTextContent("2.0 of 4 cores");
    expect(line()).toBe(before);
    act(() => useStore.setState({ now: 100_040 }));
    expect(line()).not.toBe(before);
    expect(asked.filter(({ what }) => what === LONG)).toHaveLength(1);
  });

  it("says that its values are old when the server is gone", async () => {
    serverAnswers(answers(node(null, 199)));
    show(<System />);
    connected();
    await waitFor(() => expect(rows()).toHaveLength(1));
    act(() => connectionChanged("unreachable", 1000));
    expect(screen.getByTestId("system-moment")).toHaveTextContent("the server does not answer");
    expect(rows()).toHaveLength(1);
  });

  it("says what comes where nothing is measured yet, and why it cannot be had", async () => {
    let answer = (): Response => json({ since: 0, until: 200, step_s: 10, nodes: [] });
    serverAnswers({ [ASKED]: () => answer() });
    show(<System />);
    connected();
    expect(await screen.findByText(/^Nothing is measured yet/)).toBeVisible();
    answer = () => problem(503, "The database is locked.");
    connected({ instance: "two" });
    expect(await screen.findByRole("alert")).toHaveTextContent("The database is locked.");
  });

  it.each([
    ["with values", [node(null, 199), node("client-1", 150)]],
    ["without any", []],
  ])("is for everybody, %s", async (_, nodes) => {
    serverAnswers(answers(...nodes));
    show(
      <main>
        <System />
      </main>,
    );
    connected({ clients: [client("client-1")] });
    await screen.findByTestId(nodes.length > 0 ? "system" : "no-system");
    const rules = { "color-contrast": { enabled: false }, "page-has-heading-one": { enabled: false } };
    const { violations } = await axe.run(document.body, { rules });
    expect(violations.map(({ id, nodes: at }) => `${id}: ${at.map(({ html }) => html).join(" ")}`)).toEqual(
      [],
    );
  });
});
