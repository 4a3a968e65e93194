import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { cameIn } from "../login/who";
import { client, me, result, round, run, spec } from "../testing/fixtures";
import { connected, happens, json, serverAnswers, show, toldIn } from "../testing/page";
import { ClientFacts } from "./ClientFacts";

const KEY = "YR27AJ7-I34UCDW-T4VRRPG-GCP7D6L-TVXMAHD-UM5YZBH-56FRE7A-XYJSUA3";
const mary = client("mary", { key: KEY });
const revoked = { ...mary, membership: "revoked", state: "lost" } as const;

describe("what is known of a client", () => {
  it("tells its key, and revokes it once somebody has read what that means", async () => {
    const asked = serverAnswers({ "POST /api/v1/clients/mary/revoke": () => json(revoked) });
    const reader = show(<ClientFacts id="mary" />);
    connected({ clients: [mary] });

    expect(await screen.findByTestId("client-facts")).toHaveTextContent(KEY);
    await reader.click(screen.getByTestId("revoke"));
    expect(await screen.findByTestId("revoke-consequence")).toHaveTextContent("It is cut off at once.");
    expect(toldIn(asked)).toEqual([]);
    await reader.click(screen.getByTestId("revoke-confirm"));

    await waitFor(() => expect(toldIn(asked)).toHaveLength(1));
    happens({ seq: 11, time: 201, type: "client_update", data: revoked });
    expect(screen.getByTestId("client-state")).toHaveTextContent("revoked");
  });

  it("tells how much the link has carried for it, once something is counted", () => {
    serverAnswers({});
    show(<ClientFacts id="mary" />);
    connected({ clients: [mary] });
    expect(screen.queryByTestId("client-bytes")).not.toBeInTheDocument();
    const data = { ...mary, bytes_sent: 3_280_000, bytes_received: 1_640_000 };
    happens({ seq: 11, time: 201, type: "client_update", data });
    expect(screen.getByTestId("client-bytes")).toHaveTextContent("1.6 MB came from it and 3.3 MB went to it");
  });

  it("re-admits one that was revoked", async () => {
    const asked = serverAnswers({ "POST /api/v1/clients/mary/readmit": () => json(mary) });
    const reader = show(<ClientFacts id="mary" />);
    connected({ clients: [revoked] });
    await reader.click(await screen.findByTestId("readmit"));
    await waitFor(() =>
      expect(toldIn(asked)).toEqual([{ what: "POST /api/v1/clients/mary/readmit", body: { key: null } }]),
    );
  });

  it("has one that is gone forgotten, after a question that says what stays", async () => {
    cameIn(me({ role: "admin" }));
    const asked = serverAnswers({ "DELETE /api/v1/clients/mary": () => new Response(null, { status: 204 }) });
    const reader = show(<ClientFacts id="mary" />);
    connected({ clients: [mary] });
    expect(await screen.findByTestId("client-key")).toBeVisible();
    expect(screen.queryByTestId("forget")).not.toBeInTheDocument();
    happens({ seq: 11, time: 201, type: "client_update", data: { ...mary, state: "lost" } });
    await reader.click(screen.getByTestId("forget"));
    expect(await screen.findByTestId("forget-consequence")).toHaveTextContent("Its part in past runs");
    expect(toldIn(asked)).toEqual([]);
    await reader.click(screen.getByTestId("forget-confirm"));
    await waitFor(() => expect(toldIn(asked)).toHaveLength(1));
    happens({ seq: 12, time: 202, type: "client_gone", data: { id: "mary" } });
    expect(await screen.findByTestId("client-gone")).toBeVisible();
  });

  it("offers nobody but administrators to have it forgotten", async () => {
    cameIn(me({ role: "operator" }));
    serverAnswers({});
    show(<ClientFacts id="mary" />);
    connected({ clients: [{ ...mary, state: "lost" }] });
    expect(await screen.findByTestId("client-key")).toBeVisible();
    expect(screen.queryByTestId("forget")).not.toBeInTheDocument();
  });

  it("says what it did in the shown run, and that its data is unusual", async () => {
    serverAnswers({
      "GET /api/v1/runs/7f3a9c01/labels": () => json({ label_counts: { mary: [0, 9], bob: [50, 50] } }),
    });
    show(<ClientFacts id="mary" />);
    const parts = { mary: result({ accuracy: 0.75, loss: 0.5, samples: 9, train_loss: 0.4 }) };
    connected({
      clients: [mary],
      runs: [run({ clients: ["mary", "bob"], classes: ["cat", "dog"], spec: spec({ dataset: "digits" }) })],
      rounds: { "7f3a9c01": [1, 2].map((number) => round(number, { per_client: parts })) },
    });
    const facts = screen.getByTestId("client-in-run");
    expect(facts).toHaveTextContent("its update counted in 2 of 4 rounds");
    expect(facts).toHaveTextContent("75.0 % on its own data, loss 0.5");
    expect(await screen.findByTestId("client-mix")).toHaveTextContent("unusual: 100.0 % are dog");
  });

  it("shows the receipts of its replies, which open to the whole signature", async () => {
    const verdict = {
      ...{ seq: 1, time: 100, client_id: "mary", key: KEY, message_id: "m", run_id: "7f3a9c01", round: 3 },
      ...{ kind: "train", verdict: "accepted", bytes: 9, detail: null, sequence: 7 },
      ...{ receipt: "c2lnbmVkIGJ5IHRoZSBzZXJ2ZXI=", signature: null },
    };
    serverAnswers({
      "GET /api/v1/runs/7f3a9c01/verdicts?client=mary&limit=20": () =>
        json({ verdicts: [verdict, { ...verdict, seq: 2, verdict: "late", receipt: null }] }),
    });
    show(<ClientFacts id="mary" />);
    connected({
      clients: [{ ...mary, verdict: "accepted", verdicts: { accepted: 1 } }],
      runs: [run({ clients: ["mary"] })],
    });
    const receipt = await screen.findByTestId("receipt");
    expect(receipt).toHaveTextContent("receipt of reply 7 c2lnbmVkIGJ5…");
    expect(receipt).toHaveTextContent("c2lnbmVkIGJ5IHRoZSBzZXJ2ZXI=");
  });

  it("keeps its part in a run when the server has forgotten it", () => {
    show(<ClientFacts id="guest" />);
    connected({ runs: [run({ clients: ["guest"] })] });
    expect(screen.getByTestId("client-gone")).toHaveTextContent("its part in this run stays");
    expect(screen.getByTestId("client-in-run")).toBeVisible();
  });
});
