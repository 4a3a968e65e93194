import { screen } from "@testing-library/react";
import axe from "axe-core";
import { expect, it, vi } from "vitest";
import { show } from "../testing/page";
import { NO_DATA } from "../format/format";
import { Explained } from "./Explained";
import { Ago, Clock, Value } from "./Value";

it("tells by the keyboard what it means, and closes again", async () => {
  const reader = show(<Explained why="spent of its data's privacy in all runs">1.20</Explained>);
  expect(screen.queryByText(/in all runs/)).not.toBeInTheDocument();
  await reader.tab();
  expect(screen.getByRole("button", { name: "1.20" })).toHaveFocus();
  await reader.keyboard("{Enter}");
  expect(screen.getByRole("dialog", { name: "1.20" })).toHaveTextContent("in all runs");
  const found = await axe.run(document.body, { rules: { region: { enabled: false } } });
  expect(found.violations).toEqual([]);
  await reader.keyboard("{Escape}");
  expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
  expect(screen.getByRole("button", { name: "1.20" })).toHaveFocus();
});

it("says to the ear whether it is open, and closes at another press and at one elsewhere", async () => {
  const reader = show(
    <>
      <Explained why="all of it">some</Explained>
      <p>elsewhere</p>
    </>,
  );
  const word = screen.getByRole("button", { name: "some", expanded: false });
  expect(word).toHaveAttribute("aria-haspopup", "dialog");
  for (const end of [word, screen.getByText("elsewhere")]) {
    await reader.click(word);
    expect(word).toHaveAttribute("aria-expanded", "true");
    expect(word).toHaveAttribute("aria-controls", screen.getByRole("dialog").id);
    await reader.click(end);
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
    expect(word).toHaveAttribute("aria-expanded", "false");
  }
});

it("has nothing at work for what nobody has opened, of which a table has thousands", async () => {
  const listens = vi.spyOn(document, "addEventListener");
  const outside = (): boolean => listens.mock.calls.some(([type]) => type === "mousedown");
  const reader = show(<Explained why="all of it">some</Explained>);
  expect(outside()).toBe(false);
  await reader.click(screen.getByRole("button"));
  expect(outside()).toBe(true);
  listens.mockRestore();
});

it("says by the keyboard why there is no value, and what one means", async () => {
  const reader = show(
    <>
      <Value text={NO_DATA} why="not evaluated yet" />
      <Value text="96.4 %" why="" about="in round 4" />
      <Value text="96.1 %" why="" />
    </>,
  );
  await reader.tab();
  expect(screen.getByRole("button", { name: "no data: not evaluated yet" })).toHaveFocus();
  await reader.keyboard("{Enter}");
  expect(screen.getByRole("dialog")).toHaveTextContent("not evaluated yet");
  await reader.keyboard("{Escape}{Tab}{Enter}");
  expect(screen.getByRole("dialog", { name: "96.4 %" })).toHaveTextContent("in round 4");
  expect(screen.queryByRole("button", { name: "96.1 %" })).not.toBeInTheDocument();
});

it("opens a time to all of it", async () => {
  const reader = show(
    <>
      <Ago time={0} />
      <Clock time={0} />
    </>,
  );
  for (const button of screen.getAllByRole("button")) {
    await reader.click(button);
    expect(screen.getByRole("dialog")).toHaveTextContent("1970");
    await reader.keyboard("{Escape}");
  }
});

it("keeps a press on what it says from what it stands in", async () => {
  const open = vi.fn();
  const reader = show(
    <div onClick={open}>
      <Explained why="all of it">some</Explained>
    </div>,
  );
  await reader.click(screen.getByRole("button"));
  open.mockClear();
  await reader.click(screen.getByText("all of it"));
  expect(open).not.toHaveBeenCalled();
});
