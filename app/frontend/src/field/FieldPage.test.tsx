import { screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { describe, expect, it, vi } from "vitest";
import { clock } from "../format/format";
import { show } from "../testing/page";
import { FieldPage } from "./FieldPage";
import sample from "./status.sample.json";
import type { OwnLink } from "./status";

// A canvas draws nothing in jsdom; the browser tests look at the curves.
vi.mock("../charts/useChart", () => ({ useChart: () => ({ zoomed: false, reset: () => undefined }) }));

/** A client that answers so. */
function clientAnswers(answer: () => Promise<Response>): void {
  vi.stubGlobal("fetch", answer);
}

/** The same, linked to its server. */
const linked = (link: OwnLink) => {
  const server = { ...sample.server, connected: true, link };
  return Promise.resolve(new Response(JSON.stringify({ ...sample, server })));
};

const serverCell = (peer: string): HTMLElement => {
  const row = screen.getAllByTestId("peer-row").find(({ dataset }) => dataset.peer === peer);
  if (row === undefined) throw new Error(`no row of ${peer}`);
  return within(row).getByTestId("peer-server");
};

const told = () => Promise.resolve(new Response(JSON.stringify(sample)));

describe("a client's own page", () => {
  it("tells of its peers, its mesh rounds and its server", async () => {
    clientAnswers(told);
    show(<FieldPage />);
    expect(await screen.findByTestId("field-situation")).toHaveTextContent(
      "Learning on run 7f3a9c01 with the others: 6 mesh rounds since round 3.",
    );
    const rows = screen.getAllByTestId("peer-row");
    expect(rows.map(({ dataset }) => [dataset.peer, dataset.state])).toEqual([
      ["client-1", "online"],
      ["client-2", "online"],
      ["client-3", "offline"],
    ]);
    expect(rows[0]).toHaveTextContent("this client");
    expect(rows[0]).toHaveTextContent("client-2");
    expect(rows[2]).toHaveTextContent("42 s ago");
    expect(screen.getAllByTestId("peer-refused").map(({ textContent }) => textContent)).toEqual([
      "2 by it",
      "–",
      "2 of it",
    ]);
    expect(screen.getByTestId("mesh-blocked")).toHaveTextContent("mallory at client-1");
    expect(screen.getByTestId("folder")).toHaveTextContent(
      "reportsreceiving1 at 25 %2 of 3 files, 5.0 kB1 of 212",
    );
    expect(screen.getByTestId("network-server")).toHaveTextContent("server, away");
    expect(screen.getByTestId("mesh-chart-accuracy")).toHaveAttribute("data-points", "1");
    expect(screen.getByTestId("mesh-chart-mesh-divergence")).toHaveAttribute("data-points", "1");
    expect(screen.getByTestId("field-connection")).toHaveAttribute("data-answers", "true");
  });

  it("says since when it is not linked to its server", async () => {
    clientAnswers(told);
    show(<FieldPage />);
    expect(await screen.findByTestId("field-link")).toHaveTextContent(`not linked since ${clock(159)}`);
    expect(screen.queryByTestId("network-server-link")).not.toBeInTheDocument();
    expect(
      within(serverCell("client-1")).getAllByLabelText("no data: it is not linked to the server"),
    ).toHaveLength(2);
  });

  it("tells how far its server is and what goes over the link, in the graph and in the table too", async () => {
    clientAnswers(() => linked({ latency_s: 0.0042, sent_per_s: 1200, received_per_s: 300 }));
    const reader = show(<FieldPage />);
    expect(await screen.findByTestId("field-link")).toHaveTextContent(
      "server 4.2 ms away, 1.2 kB/s to it, 300 B/s from it",
    );
    await reader.hover(serverCell("client-1"));
    expect(screen.getByTestId("network-server-link")).toHaveTextContent("4.2 ms1.5 kB/s");
    expect(serverCell("client-1")).toHaveTextContent("4.2 ms1.5 kB/s");
    expect(
      within(serverCell("client-2")).getAllByLabelText(/no data: the server's own page tells it/),
    ).toHaveLength(2);
  });

  it("says why something of the link is not known", async () => {
    let link: OwnLink = { latency_s: null, sent_per_s: null, received_per_s: null };
    clientAnswers(() => linked(link));
    show(<FieldPage />);
    const shown = within(await screen.findByTestId("field-link"));
    expect(
      shown.getAllByLabelText("no data: not measured yet: this client measures it every two seconds"),
    ).toHaveLength(3);
    link = { ...link, sent_per_s: 1200, received_per_s: 0 };
    await waitFor(
      () =>
        expect(shown.getAllByLabelText(/^no data: the server has not answered a heartbeat yet/)).toHaveLength(
          1,
        ),
      {
        timeout: 3000,
      },
    );
    expect(screen.getByTestId("field-link")).toHaveTextContent("0 B/s from it");
  });

  it("draws no server for a client that needs none", async () => {
    clientAnswers(() => Promise.resolve(new Response(JSON.stringify({ ...sample, server: null }))));
    show(<FieldPage />);
    expect(await screen.findByTestId("field-situation")).toHaveTextContent(
      "Learning on run 7f3a9c01 with the others: 6 mesh rounds.",
    );
    expect(screen.queryByTestId("network-server")).not.toBeInTheDocument();
    expect(screen.queryByTestId("field-link")).not.toBeInTheDocument();
    expect(screen.getAllByTestId("peer-row")).toHaveLength(3);
  });

  it("says that a client has ended, and keeps what it last told", async () => {
    let answer = told;
    clientAnswers(() => answer());
    show(<FieldPage />);
    await screen.findByTestId("field-situation");
    answer = () => Promise.reject(new TypeError("refused"));
    expect(await screen.findByRole("alert")).toHaveTextContent(
      "The client does not answer. If it has ended, start it again and open its new address. What is shown is from before.",
    );
    expect(screen.getAllByTestId("peer-row")).toHaveLength(3);
    expect(screen.getByTestId("field-connection")).toHaveAttribute("data-answers", "false");
    answer = told;
    await waitFor(() => expect(screen.queryByRole("alert")).not.toBeInTheDocument());
  });

  it("blocks a peer after a question, and invites a node with a code to compare", async () => {
    const done: [string, unknown][] = [];
    const made = {
      text: "fedmesh://10.0.0.2:4001?key=K&token=T",
      qr: "<svg/>",
      expires: 800,
      only_here: false,
    };
    vi.stubGlobal("fetch", (what: string, init?: RequestInit) => {
      if (init?.method !== "POST") return told();
      done.push([what, JSON.parse(init.body as string)]);
      if (what === "/api/unblock") return Promise.resolve(new Response("It is gone.\n", { status: 409 }));
      return Promise.resolve(new Response(JSON.stringify(what === "/api/invite" ? made : {})));
    });
    const reader = show(<FieldPage />);
    await reader.click(await screen.findByRole("button", { name: "client-2" }));
    await reader.click(await screen.findByTestId("peer-block"));
    expect(await screen.findByTestId("peer-block-consequence")).toHaveTextContent(
      "neither models nor files are taken from it or given to it",
    );
    await reader.click(screen.getByTestId("peer-block-confirm"));
    await waitFor(() => expect(screen.queryByTestId("peer-facts")).not.toBeInTheDocument());

    await reader.click(screen.getByTestId("peer-unblock"));
    await reader.click(await screen.findByTestId("peer-unblock-confirm"));
    expect(await screen.findByText("It is gone.")).toBeVisible();
    await reader.click(screen.getByRole("button", { name: "Leave it as it is" }));

    await reader.click(screen.getByTestId("invite-node"));
    expect(await screen.findByTestId("node-invitation-text")).toHaveTextContent(made.text);
    expect(screen.getByTestId("node-invitation-state")).toHaveTextContent(
      "gateway has come. Check code: ABCD-EFGH.",
    );
    expect(done).toEqual([
      ["/api/block", { key: "KEY-2" }],
      ["/api/unblock", { key: "KEY-9" }],
      ["/api/invite", {}],
    ]);
  });

  it("comes by an invitation that is pasted, or whose picture is chosen, and shows the code", async () => {
    const done: [string, unknown][] = [];
    let joining: unknown = { paired: null, problem: "The invitation was used." };
    vi.stubGlobal("fetch", (what: string, init?: RequestInit) => {
      if (init?.method !== "POST")
        return Promise.resolve(new Response(JSON.stringify({ ...sample, joining })));
      const kind = (init.headers as Record<string, string>)["content-type"];
      done.push([what, kind === "application/json" ? JSON.parse(init.body as string) : init.body]);
      if (done.length === 1) return Promise.resolve(new Response("It has no token.\n", { status: 409 }));
      return Promise.resolve(new Response("{}"));
    });
    const reader = show(<FieldPage />);
    await reader.click(await screen.findByTestId("join-node"));
    expect(screen.getByTestId("join-submit")).toBeDisabled();
    await reader.type(screen.getByTestId("join-text"), "fedmesh://there");
    await reader.click(screen.getByTestId("join-submit"));
    expect(await screen.findByText("It has no token.")).toBeVisible();
    expect(screen.getByTestId("join-state")).toBeEmptyDOMElement();

    await reader.click(screen.getByTestId("join-submit"));
    await waitFor(() =>
      expect(screen.getByTestId("join-state")).toHaveTextContent(
        "It has not come to that. The invitation was used.",
      ),
    );
    joining = sample.joining;
    const picture = new File(["png"], "code.png", { type: "image/png" });
    await reader.upload(screen.getByTestId("join-picture"), picture);
    await waitFor(() =>
      expect(screen.getByTestId("join-state")).toHaveTextContent(
        "Paired with harbour. Check code: EFGH-ABCD.",
      ),
    );
    expect(done).toEqual([
      ["/api/join", { text: "fedmesh://there" }],
      ["/api/join", { text: "fedmesh://there" }],
      ["/api/join", picture],
    ]);
  });

  it("says that the server keeps it out of the mesh", async () => {
    clientAnswers(() => Promise.resolve(new Response(JSON.stringify({ ...sample, vouched: false }))));
    show(<FieldPage />);
    expect(await screen.findByTestId("field-left-out")).toHaveTextContent("The server does not vouch");
  });

  it("tells whoever has no key where it is, in the client's words", async () => {
    clientAnswers(() => Promise.resolve(new Response("Open the address.\n", { status: 401 })));
    show(<FieldPage />);
    expect(await screen.findByRole("alert")).toHaveTextContent(/^Open the address\.$/);
    expect(screen.queryByTestId("field-situation")).not.toBeInTheDocument();
  });

  it("is for everybody", async () => {
    clientAnswers(told);
    show(<FieldPage />);
    await screen.findByTestId("field-situation");
    const { violations } = await axe.run(document.body, { rules: { "color-contrast": { enabled: false } } });
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual(
      [],
    );
  });
});
