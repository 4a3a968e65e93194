import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { status } from "../testing/fixtures";
import { connected, happens, show } from "../testing/page";
import { StoreProblem } from "./StoreProblem";

const bar = (): HTMLElement | null => screen.queryByRole("alert");

describe("the bar about the store", () => {
  it("is there as soon as nothing can be kept, and gone when it can again", () => {
    show(<StoreProblem />);
    connected();
    expect(bar()).not.toBeInTheDocument();
    happens({ seq: 11, time: 201, type: "store_update", data: { problem: "The disk is full." } });
    expect(bar()).toHaveTextContent("Not saved: The disk is full.");
    happens({ seq: 12, time: 202, type: "store_update", data: { problem: null } });
    expect(bar()).not.toBeInTheDocument();
  });

  it("is there from the start where the server says so at once", () => {
    show(<StoreProblem />);
    connected({ status: status({ store_problem: "The database is locked." }) });
    expect(bar()).toHaveTextContent("Not saved: The database is locked.");
  });
});
