import { act, screen, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { clock } from "../format/format";
import { connectionChanged } from "../store/store";
import { connected, show } from "../testing/page";
import { ConnectionState } from "./ConnectionState";

const shown = (): HTMLElement => screen.getByRole("status");

describe("the connection's state", () => {
  it("is a word from the first moment on", () => {
    show(<ConnectionState />);
    expect(shown()).toHaveTextContent("connecting");
    connected();
    expect(shown()).toHaveTextContent("connected");
  });

  it.each([
    ["reconnecting", "reconnecting since"],
    ["unreachable", "server unreachable since"],
  ] as const)("tells since when it is %s, and that the values are old", (state, words) => {
    show(<ConnectionState />);
    connected();
    act(() => connectionChanged(state, 1000));
    expect(shown()).toHaveTextContent(`${words} ${clock(1000)}`);
    expect(within(shown()).getByRole("button")).toHaveAttribute(
      "title",
      expect.stringContaining("values are from before"),
    );
  });

  it("speaks of no old values where none were ever there", () => {
    show(<ConnectionState />);
    act(() => connectionChanged("unreachable", 1000));
    expect(within(shown()).getByRole("button")).not.toHaveAttribute(
      "title",
      expect.stringContaining("values are from before"),
    );
  });
});
