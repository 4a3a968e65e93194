import { screen, waitFor } from "@testing-library/react";
import axe from "axe-core";
import { expect, it } from "vitest";
import type { Outlets as Status, WebhookStatus } from "../api/types";
import { cameIn } from "../login/who";
import { me, snapshot } from "../testing/fixtures";
import { connected, json, problem, serverAnswers, show, toldIn } from "../testing/page";
import { Outlets } from "./Outlets";

const NOW = snapshot().time;
const WEBHOOK: WebhookStatus = {
  receiver: "https://hooks.example",
  waiting: 2,
  delivered: 3,
  delivered_at: NOW - 120,
  lost: 0,
  problem: "it answered 503",
};
const answers = (status: Partial<Status>) => ({
  "GET /api/v1/outlets": () => json({ webhook: null, trackers: [], ...status }),
  "POST /api/v1/outlets/webhook/test": () => problem(503, "Not now."),
});

it("says how webhook and trackers go, and sends a test", async () => {
  const trackers = [
    { kind: "tensorboard", where: "runs", behind: 1, problem: "No space left on device (runs)" },
  ];
  const asked = serverAnswers(answers({ webhook: WEBHOOK, trackers }));
  cameIn(me({ role: "admin" }));
  const user = show(<Outlets />);
  connected();
  await waitFor(() => expect(screen.getAllByTestId("outlet")).toHaveLength(2));
  const [webhook, tracker] = screen.getAllByTestId("outlet");
  expect(webhook).toHaveTextContent(/3 arrived, the newest .* ago; 2 wait; it answered 503/);
  expect(tracker).toHaveTextContent("not written: No space left on device (runs)");
  await user.click(screen.getByTestId("test-webhook"));
  await waitFor(() => expect(screen.getByRole("alert")).toHaveTextContent("Not now."));
  expect(toldIn(asked)).toHaveLength(1);
  expect((await axe.run(screen.getByTestId("outlets"))).violations).toEqual([]);
});

it("is not there where the server tells nobody", async () => {
  const asked = serverAnswers(answers({}));
  show(<Outlets />);
  connected();
  await waitFor(() => expect(asked).toHaveLength(1));
  expect(screen.queryByTestId("outlets")).not.toBeInTheDocument();
});

it("leaves sending a test to administrators", async () => {
  serverAnswers(answers({ webhook: { ...WEBHOOK, problem: null, waiting: 0 } }));
  cameIn(me({ role: "operator" }));
  show(<Outlets />);
  connected();
  await waitFor(() => expect(screen.getByTestId("outlet")).toBeVisible());
  expect(screen.queryByTestId("test-webhook")).not.toBeInTheDocument();
});
