import { screen } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { connected, show } from "../testing/page";
import { run } from "../testing/fixtures";
import { DIVERGENCE } from "./mesh-lines";
import { MeshChart } from "./MeshChart";

const saved = vi.hoisted(() => vi.fn<(name: string, content: Blob) => void>());

// A canvas draws nothing in jsdom; the browser tests look at the curves.
vi.mock("../charts/useChart", () => ({
  useChart: () => ({ zoomed: true, range: null, reset: vi.fn(), point: vi.fn(), instance: () => ({}) }),
}));
vi.mock("../charts/export", () => ({ saveFile: saved, pngOf: vi.fn(), svgOf: vi.fn() }));

const common = { colours: {}, run: "aa", end: 10, newest: 0.5, whose: "of all", missing: "nothing yet" };
const accuracy = [
  {
    name: "client-1",
    main: false,
    points: [
      [4, 0.5],
      [6, 0.75],
    ] as [number, number][],
  },
  { name: "server", main: true, points: [[4, 0.25]] as [number, number][] },
];
const divergence = [{ name: "largest", main: true, points: [[6, 12.5]] as [number, number][] }];

function Both() {
  return (
    <>
      <MeshChart {...common} metric={{ kind: "accuracy" }} area="accuracy" lines={accuracy} />
      <MeshChart {...common} metric={DIVERGENCE} title="divergence" area="divergence" lines={divergence} />
    </>
  );
}

const upper = (): HTMLElement => screen.getByTestId("mesh-chart-accuracy");
const lower = (): HTMLElement => screen.getByTestId("mesh-chart-mesh-divergence");

beforeEach(() => {
  localStorage.clear();
  saved.mockClear();
});

describe("the charts of the mesh", () => {
  it("are sliders over its rounds that share a cursor, and keep a round", async () => {
    const reader = show(<Both />);
    connected({ runs: [run({ id: "aa" })] });
    while (document.activeElement !== upper()) await reader.tab();
    await reader.keyboard("{Home}");
    expect(upper()).toHaveAttribute("aria-valuetext", "round 4: server 25.0 %, client-1 50.0 %");
    expect(lower()).toHaveAttribute("aria-valuetext", "round 4: no value");
    await reader.keyboard("{ArrowRight}");
    expect(lower()).toHaveAttribute("aria-valuetext", "round 6: largest 12.5");
    await reader.keyboard("{Enter}");
    expect(location.search).toBe("?round=6");
  });

  it("can be followed where no server knows the run", async () => {
    const reader = show(<Both />);
    while (document.activeElement !== upper()) await reader.tab();
    await reader.keyboard("{Home}");
    expect(upper()).toHaveAttribute("aria-valuenow", "4");
  });

  it("are saved as numbers", async () => {
    const reader = show(<Both />);
    await reader.click(screen.getByTestId("save-mesh-mesh-divergence"));
    await reader.click(screen.getByTestId("save-mesh-mesh-divergence-csv"));
    const [name, content] = saved.mock.calls[0] ?? [];
    expect(name).toBe("run-aa-mesh-divergence.csv");
    expect(await content?.text()).toBe("round,largest\r\n6,12.5\r\n");
  });

  it("have of the axis upwards what changes something", () => {
    show(<Both />);
    expect(screen.getAllByTestId("y-zero")).toHaveLength(1);
    expect(screen.getAllByTestId("log")).toHaveLength(1);
    expect(screen.getAllByRole("button", { name: "Show all rounds" })).toHaveLength(2);
  });
});
