import { screen } from "@testing-library/react";
import { useState } from "react";
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

  it("begins at its top again when other rows are wanted, and stays where it is when the same come anew", async () => {
    const reader = show(<Searched />);
    const list = screen.getByTestId("rows");
    list.scrollTop = 200;
    await reader.click(screen.getByRole("button", { name: "count anew" }));
    expect(list.scrollTop).toBe(200);
    await reader.click(screen.getByRole("button", { name: "search" }));
    expect(list.scrollTop).toBe(0);
  });
});

function Searched() {
  const [count, setCount] = useState(100);
  const [wanted, want] = useState("");
  return (
    <>
      <button type="button" onClick={() => setCount(count + 1)}>
        count anew
      </button>
      <button type="button" onClick={() => want("a")}>
        search
      </button>
      <VirtualRows
        role="list"
        label="rows"
        testId="rows"
        count={count}
        rowHeight={40}
        keyOf={(index) => index}
        wanted={wanted}
        render={(index) => `row ${index}`}
      />
    </>
  );
}
