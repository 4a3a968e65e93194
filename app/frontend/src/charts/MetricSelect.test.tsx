import { MantineProvider } from "@mantine/core";
import { act, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MetricSelect } from "./MetricSelect";
import type { Metric } from "./metrics";

const ACCURACY: Metric = { kind: "accuracy" };
const OFFERED: readonly Metric[] = [ACCURACY, { kind: "loss" }];

function shownSelect(): { box: HTMLElement; choose: (key: string) => void } {
  const choose = vi.fn();
  render(
    <MantineProvider>
      <MetricSelect slot="accuracy" shown={ACCURACY} offered={OFFERED} choose={choose} panels={null} />
    </MantineProvider>,
  );
  return { box: screen.getByRole("combobox"), choose };
}

function enter(box: HTMLElement): void {
  fireEvent.keyDown(box, { key: "Enter", code: "Enter" });
}

function runTimers(): void {
  act(() => {
    vi.runAllTimers();
  });
}

describe("the metric of a chart", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each(["before", "after"])("is the one that was typed %s the timers of the focus", (when) => {
    const { box, choose } = shownSelect();
    act(() => box.focus());
    if (when === "after") runTimers();
    fireEvent.change(box, { target: { value: "los" } });
    runTimers();
    enter(box);
    expect(choose).toHaveBeenCalledExactlyOnceWith("loss");
  });

  it("is kept where nothing was typed", () => {
    const { box, choose } = shownSelect();
    act(() => box.focus());
    runTimers();
    enter(box);
    expect(choose).not.toHaveBeenCalled();
  });

  it("is found with the arrow keys", () => {
    const { box, choose } = shownSelect();
    act(() => box.focus());
    runTimers();
    for (let presses = 0; presses < 2; presses++) fireEvent.keyDown(box, { code: "ArrowDown" });
    enter(box);
    expect(choose).toHaveBeenCalledExactlyOnceWith("loss");
  });
});
