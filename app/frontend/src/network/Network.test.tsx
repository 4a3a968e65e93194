import { screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { describe, expect, it, vi } from "vitest";
import { cameIn } from "../login/who";
import type { AppInfo, Client, MeshNode } from "../api/types";
import { client, me, mesh, meshNode, meshPeer, meshRound, run, status } from "../testing/fixtures";
import { connected, happens, json, linksAre, problem, serverAnswers, show, toldIn } from "../testing/page";
import Network from "./Network";

// A canvas draws nothing in jsdom; the browser tests look at the curves.
vi.mock("../charts/useChart", () => ({ useChart: () => ({ zoomed: false, reset: () => undefined }) }));

const THREE = ["client-1", "client-2", "client-3"];

function meshed(name: string, changes: Partial<Client> = {}): Client {
  return client(name, { key: `KEY-${name}`, mesh: mesh(), ...changes });
}

const CLIENTS = THREE.map((name) => meshed(name));
const near = (name: string) => meshPeer(`KEY-${name}`);
const gone = (name: string) => meshPeer(`KEY-${name}`, { state: "offline", hops: null, latency_s: null });
/** Each has a link to all others. */
const ALL = THREE.map((name) => meshNode(name, THREE.filter((other) => other !== name).map(near)));

/** A server whose clients tell this of the mesh; returns how to have them tell something else. */
function clientsTell(first: readonly MeshNode[]): (next: readonly MeshNode[]) => void {
  let nodes = first;
  serverAnswers({ "GET /api/v1/mesh": () => json({ nodes, blocked: [] }) });
  return (next) => {
    nodes = next;
  };
}

const rows = (): Promise<HTMLElement[]> => screen.findAllByTestId("peer-row");
async function expectStates(...states: string[]): Promise<void> {
  await waitFor(async () => expect((await rows()).map(({ dataset }) => dataset.state)).toEqual(states));
}

describe("the network", () => {
  it("is a graph, and a table that says the same", async () => {
    const rounds = [meshRound(1, { averaged_with: ["KEY-client-2"], accuracy: 0.9, divergence: 0.1 })];
    clientsTell([meshNode("client-1", ALL[0]?.peers, { rounds }), ...ALL.slice(1)]);
    show(<Network />);
    connected({ clients: CLIENTS, runs: [run()] });
    const [first] = await rows();
    expect(first).toHaveTextContent("client-1online122.0 ms––––nowclient-2");
    expect(screen.getAllByRole("button", { name: "2" })[0]).toHaveAccessibleDescription(
      "client-2 2.0 ms, client-3 2.0 ms",
    );
    expect(
      screen.getByRole("img", { name: "graph of the server and 3 peers: 3 online; 3 links" }),
    ).toBeVisible();
    expect(screen.getAllByTestId("network-node").map(({ dataset }) => dataset.peer)).toEqual(THREE);
    expect(screen.getByTestId("mesh-chart-mesh-divergence")).toHaveAttribute("data-points", "1");
    expect(screen.getByTestId("mesh-chart-accuracy")).toHaveAttribute("data-points", "1");
  });

  it("has how far clients are from the server and what goes over their links", async () => {
    clientsTell(ALL);
    const reader = show(<Network />);
    connected({ clients: CLIENTS });
    const link = (name: string) => ({
      client: name,
      measures: true,
      latency_s: 0.0123,
      sent_per_s: 1200,
      received_per_s: 300,
    });
    linksAre({
      whole: false,
      links: {
        "client-1": link("client-1"),
        "client-2": { ...link("client-2"), measures: false, latency_s: null },
      },
      gone: [],
    });
    const [first, second] = await rows();
    const cells = screen.getAllByTestId("peer-server");
    expect(cells.map(({ textContent }) => textContent)).toEqual(["12 ms1.5 kB/s", "–1.5 kB/s", "––"]);
    expect(screen.getByLabelText(/FedLoom is an older one/)).toBeVisible();
    expect(screen.queryByTestId("network-server-link")).not.toBeInTheDocument();
    await reader.hover(second as Element);
    expect(screen.getByTestId("network-server-link")).toHaveTextContent("–1.5 kB/s");
    await reader.hover(first as Element);
    const label = screen.getByTestId("network-server-link");
    expect(label).toHaveTextContent("12 ms1.5 kB/s");
    expect(label).toHaveAttribute("title", "server – client-1: 12 ms, 1.5 kB/s");
    linksAre({ whole: false, links: { "client-1": { latency_s: 0.05 } }, gone: ["client-2"] });
    expect(cells.map(({ textContent }) => textContent)).toEqual(["50 ms1.5 kB/s", "––", "––"]);
  });

  it("tells what was refused in the mesh, of whom and by whom, in words", async () => {
    const forged = {
      key: "KEY-client-3",
      reason: "bad-signature",
      words: "a forged message: its signature is wrong",
      count: 12,
    };
    const now = { time: 1, ways: [], folders: [], refused: [forged] };
    clientsTell([{ ...meshNode("client-1", ALL[0]?.peers), now }, ...ALL.slice(1)]);
    const reader = show(<Network />);
    connected({ clients: CLIENTS });
    await rows();
    const cells = screen.getAllByTestId("peer-refused");
    expect(cells.map(({ textContent }) => textContent)).toEqual(["12 by it", "–", "12 of it"]);
    await reader.click(screen.getByRole("button", { name: "12 of it" }));
    expect(await screen.findByText(/12 × a forged message: its signature is wrong/)).toBeVisible();
    await reader.keyboard("{Escape}");
    await reader.click(screen.getByRole("button", { name: /client-3/ }));
    expect(await screen.findByTestId("peer-refusals")).toHaveTextContent("(refused by client-1)");
  });

  it("asks again when a client sees others than before, and shows islands where it is cut", async () => {
    const tell = clientsTell(ALL);
    show(<Network />);
    connected({ clients: CLIENTS });
    await expectStates("online", "online", "online");
    tell([
      meshNode("client-1", [near("client-2"), gone("client-3")]),
      meshNode("client-2", [near("client-1"), gone("client-3")]),
      meshNode("client-3", [gone("client-1"), gone("client-2")]),
    ]);
    const data = meshed("client-1", { mesh: mesh({ online: 1 }) });
    happens({ seq: 11, time: 201, type: "client_update", data });
    await expectStates("online", "online", "alone");
    expect(screen.getByTestId("partition")).toHaveTextContent(
      "2 islands that do not reach each other: client-1, client-2 | client-3",
    );
    happens({ seq: 12, time: 201, type: "client_update", data: meshed("client-3", { state: "lost" }) });
    await expectStates("online", "online", "offline");
    expect(screen.getByTestId("partition")).toBeEmptyDOMElement();
  });

  it("tells of merges and of those who are kept out", async () => {
    const merge = { round: 4, since: 3, mesh_rounds: 6, clients: THREE, contributions: [1, 2, 3] };
    clientsTell([meshNode("client-2", [], { blocked: [{ key: "MALLORY", name: "mallory" }] })]);
    show(<Network />);
    connected({ clients: CLIENTS, runs: [run({ mesh: { generations: [], merges: [merge] } })] });
    expect(await screen.findByTestId("mesh-merge")).toHaveTextContent(
      "Round 4 took up what 3 clients learned without the server: up to 6 mesh rounds since round 3.",
    );
    expect(screen.getByTestId("mesh-blocked")).toHaveTextContent(
      "mallory at client-2 why: –theirs to take back",
    );
  });

  it("lists the folders that clients keep alike, with what comes", async () => {
    const folder = {
      id: "reports",
      receive_only: false,
      files: 3,
      in_sync: 2,
      bytes: 5000,
      conflicts: 0,
      coming: 1,
      chunks: 1,
      of_chunks: 4,
      refused: 2,
      peers: 2,
      alike: 1,
      failed: false,
    };
    const now = (changes: Partial<typeof folder>) => ({
      time: 1,
      ways: [],
      refused: [],
      folders: [{ ...folder, ...changes }],
    });
    clientsTell([
      { ...meshNode("client-2"), now: now({ coming: 0, in_sync: 3 }) },
      { ...meshNode("client-1"), now: now({}) },
    ]);
    show(<Network />);
    connected({ clients: CLIENTS });
    const folders = await screen.findAllByTestId("folder");
    expect(folders.map(({ textContent }) => textContent)).toEqual([
      "reports at client-1receiving1 at 25 %2 of 3 files, 5.0 kB1 of 202",
      "reports at client-2in sync3 files, 5.0 kB1 of 202",
    ]);
  });

  it("blocks after a question that names the consequence, and lets in again", async () => {
    const key = "KEY-client-2";
    let blocked: object[] = [];
    const answer = () => json({ nodes: ALL, blocked });
    const asked = serverAnswers({
      "GET /api/v1/mesh": answer,
      "POST /api/v1/mesh/block": () => {
        blocked = [{ key, client: "client-2", by: "ana", time: 90, reason: "stolen" }];
        return answer();
      },
      "POST /api/v1/mesh/unblock": () => {
        blocked = [];
        return answer();
      },
    });
    cameIn(me());
    const reader = show(<Network />);
    connected({ clients: CLIENTS });
    await reader.click(await screen.findByRole("button", { name: /client-2/ }));
    await reader.click(await screen.findByTestId("mesh-block"));
    expect(await screen.findByTestId("mesh-block-consequence")).toHaveTextContent(
      "the other clients end their links to it and take nothing from it, unless their own people have paired it",
    );
    await reader.type(screen.getByLabelText("Why"), "stolen");
    await reader.click(screen.getByTestId("mesh-block-confirm"));
    expect(await screen.findByTestId("mesh-blocked")).toHaveTextContent(
      "client-2 by the server by ana, 1 min ago, why: stolen",
    );
    await reader.click(await screen.findByTestId("mesh-unblock"));
    await reader.click(await screen.findByTestId("mesh-unblock-confirm"));
    await waitFor(() => expect(screen.queryByTestId("mesh-blocked")).not.toBeInTheDocument());
    expect(toldIn(asked)).toEqual([
      { what: "POST /api/v1/mesh/block", body: { key, reason: "stolen" } },
      { what: "POST /api/v1/mesh/unblock", body: { key } },
    ]);
  });

  it("offers a viewer nothing that the server would refuse", async () => {
    clientsTell(ALL);
    cameIn(me({ role: "operator" }));
    const reader = show(<Network />);
    connected({ clients: CLIENTS });
    await reader.click(await screen.findByRole("button", { name: /client-2/ }));
    await screen.findByTestId("peer-facts");
    expect(screen.queryByTestId("mesh-block")).not.toBeInTheDocument();
    expect(screen.getByTestId("mesh-add")).toHaveTextContent("Add a client…");
  });

  it("says in the server's words why it is not known who sees whom", async () => {
    serverAnswers({ "GET /api/v1/mesh": () => problem(503, "It is shutting down.") });
    show(<Network />);
    connected({ clients: [meshed("client-1")] });
    expect(await screen.findByRole("alert")).toHaveTextContent("It is shutting down.");
  });

  it("draws many as one for each state, and lists them all", async () => {
    const names = Array.from({ length: 60 }, (_, index) => `c-${index}`);
    clientsTell([
      meshNode(
        "c-0",
        names.slice(1).map((name, index) => (index < 10 ? gone(name) : near(name))),
      ),
    ]);
    show(<Network />);
    connected({ clients: [meshed("c-0")] });
    await waitFor(() =>
      expect(screen.getAllByTestId("network-group").map(({ textContent }) => textContent)).toEqual([
        "49 online",
        "1 alone",
        "10 offline",
      ]),
    );
    expect(screen.queryAllByTestId("network-node")).toEqual([]);
    expect(screen.getByTestId("network-words")).toHaveTextContent("49 online, 1 alone, 10 offline; 49 links");
  });

  it("tells what goes between many and among them", async () => {
    const names = Array.from({ length: 60 }, (_, index) => `c-${index}`);
    const ways = ["c-1", "c-2", "c-3"].map((name) => ({
      key: `KEY-${name}`,
      latency_s: 0.1,
      sent_per_s: 1000,
      received_per_s: 500,
    }));
    const stale = meshPeer("KEY-c-3", { state: "stale" });
    clientsTell([
      {
        ...meshNode("c-0", [...names.slice(1, 3).map(near), stale, ...names.slice(4).map(gone)]),
        now: { time: 1, folders: [], refused: [], ways },
      },
      meshNode("c-1", [near("c-0")]),
    ]);
    show(<Network />);
    connected({ clients: [meshed("c-0"), meshed("c-1")] });
    const link = { measures: true, latency_s: 0.1, sent_per_s: 2000, received_per_s: 0 };
    const links = { "c-0": { ...link, client: "c-0" }, "c-1": { ...link, client: "c-1" } };
    linksAre({ whole: true, links, gone: [] });
    const groups = await screen.findAllByTestId("network-group");
    expect(groups.map(({ textContent }) => textContent)).toEqual([
      "3 online3.0 kB/s among them",
      "1 stale",
      "56 offline",
    ]);
    expect(screen.getByTestId("network-group-link")).toHaveTextContent("1 link1.5 kB/s");
    expect(screen.getByTestId("network-group-server-link")).toHaveTextContent("2 links4.0 kB/s");
  });

  it("says what a mesh is where there is none, and how it begins", () => {
    serverAnswers({});
    show(<Network />);
    connected({ clients: [client("client-1")] });
    expect(screen.getByTestId("network-node")).toHaveAttribute("data-state", "connected");
    happens({ seq: 11, time: 201, type: "client_update", data: client("client-1", { state: "lost" }) });
    expect(screen.getByTestId("network-node")).toHaveAttribute("data-state", "offline");
    const empty = screen.getByTestId("no-mesh");
    expect(empty).toHaveTextContent("No client takes part in the mesh.");
    expect(within(empty).getByTestId("mesh-command")).toHaveTextContent(
      "python run_client.py --client-id client-3 --dataset digits --enable-mesh",
    );
  });

  it("offers no command for clients that cannot take part", () => {
    serverAnswers({});
    show(<Network />);
    const app = { name: "other", title: "other", version: "1", run_config: {} } as unknown as AppInfo;
    connected({ status: status({ app }) });
    expect(screen.getByTestId("no-mesh")).toHaveTextContent("another Flower app than the built-in one");
    expect(screen.queryByTestId("mesh-command")).not.toBeInTheDocument();
  });

  it.each([
    ["with a mesh", CLIENTS, "peer-table"],
    ["without one", [], "no-mesh"],
  ])("is for everybody, %s", async (_, clients, part) => {
    clientsTell(ALL);
    show(
      <main>
        <Network />
      </main>,
    );
    connected({ clients });
    await screen.findByTestId(part);
    const rules = { "color-contrast": { enabled: false }, "page-has-heading-one": { enabled: false } };
    const { violations } = await axe.run(document.body, { rules });
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual(
      [],
    );
  });
});
