import { screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { show } from "../testing/page";
import { VirtualRows } from "./VirtualRows";

function rows(count: number, even: boolean) {
  return (
    <VirtualRows
      role="list"
      label="rows"
      testId="rows"
      count={count}
      rowHeight={40}
      even={even}
      keyOf={(index) => index}
      render={(index) => `row ${index}`}
    />
  );
}

describe("a list of rows", () => {
  afterEach(() => vi.restoreAllMocks());

  it.each([
    { even: true, measured: 0 },
    { even: false, measured: 3 },
  ])("measures those that may be taller: even $even", ({ even, measured }) => {
    const asked = vi.spyOn(HTMLElement.prototype, "offsetHeight", "get");
    show(rows(3, even));
    const elements = new Set(asked.mock.contexts as HTMLElement[]);
    expect([...elements].filter(({ dataset }) => "index" in dataset)).toHaveLength(measured);
  });

  it("draws those in view, and few before and after them", () => {
    show(rows(1000, true));
    const inView = 400 / 40;
    expect(screen.getAllByRole("listitem")).toHaveLength(inView + 4);
  });
});
