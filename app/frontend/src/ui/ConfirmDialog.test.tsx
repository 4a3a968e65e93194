import { screen, waitFor } from "@testing-library/react";
import { useState } from "react";
import { describe, expect, it, vi } from "vitest";
import { show } from "../testing/page";
import { Asked } from "./Asked";
import { ConfirmDialog } from "./ConfirmDialog";

function Dialog({ give, taken = false }: { give: () => Promise<string | null>; taken?: boolean }) {
  const [opened, setOpened] = useState(true);
  return (
    <ConfirmDialog
      opened={opened}
      close={() => setOpened(false)}
      title="Stop run 7f3a?"
      consequence="Round 4 is lost."
      keep="Let it run"
      confirm="Stop run"
      busy="Stopping…"
      taken={taken}
      give={give}
      testId="stop"
    />
  );
}

const accepts = () => vi.fn(() => Promise.resolve<string | null>(null));

describe("the dialog before something is lost", () => {
  it("names the consequence, and the way out has the focus", async () => {
    show(<Dialog give={accepts()} />);
    expect(screen.getByRole("dialog", { name: "Stop run 7f3a?" })).toHaveTextContent("Round 4 is lost.");
    await waitFor(() => expect(screen.getByRole("button", { name: "Let it run" })).toHaveFocus());
  });

  it.each(["Let it run", "Close"])("does nothing but close with “%s”", async (way) => {
    const give = accepts();
    const reader = show(<Dialog give={give} />);
    await reader.click(screen.getByRole("button", { name: way }));
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
    expect(give).not.toHaveBeenCalled();
  });

  it("does nothing but close with Escape", async () => {
    const give = accepts();
    const reader = show(<Dialog give={give} />);
    await reader.keyboard("{Escape}");
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
    expect(give).not.toHaveBeenCalled();
  });

  it("carries it out once and closes", async () => {
    const give = accepts();
    const reader = show(<Dialog give={give} />);
    await reader.click(screen.getByRole("button", { name: "Stop run" }));
    expect(give).toHaveBeenCalledOnce();
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
  });

  it("stays open when the server refuses, and says why", async () => {
    const reader = show(<Dialog give={() => Promise.resolve("It has ended already.")} />);
    await reader.click(screen.getByRole("button", { name: "Stop run" }));
    expect(screen.getByRole("alert")).toHaveTextContent("It has ended already.");
    expect(screen.getByRole("dialog")).toBeInTheDocument();
  });

  it("takes the command once only while it is on its way", () => {
    show(<Dialog give={accepts()} taken />);
    expect(screen.getByRole("button", { name: "Stopping…" })).toBeDisabled();
  });
});

describe("a button with a question", () => {
  it("asks, gets the focus back, and asks again", async () => {
    const reader = show(
      <Asked
        button={(ask) => <button onClick={ask}>Stop…</button>}
        title="Stop run 7f3a?"
        consequence="Round 4 is lost."
        keep="Let it run"
        confirm="Stop run"
        busy="Stopping…"
        taken={false}
        give={accepts()}
        testId="stop"
      />,
    );
    for (const way of ["Let it run", "Stop run"]) {
      expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
      await reader.click(screen.getByRole("button", { name: "Stop…" }));
      await waitFor(() => expect(screen.getByRole("button", { name: "Let it run" })).toHaveFocus());
      await reader.click(screen.getByRole("button", { name: way }));
      await waitFor(() => expect(screen.getByRole("button", { name: "Stop…" })).toHaveFocus());
    }
  });
});
