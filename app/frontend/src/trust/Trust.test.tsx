import { screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { audit, auditEntry, result, round, run, spec, status } from "../testing/fixtures";
import { connected, happens, json, problem, serverAnswers, show } from "../testing/page";
import Trust from "./Trust";

const NEWEST = "GET /api/v1/audit/entries?limit=50";
const rows = (): (string | undefined)[] =>
  screen.queryAllByTestId("audit-entry").map((row) => row.dataset.index);
const witness = (client: string, size: number) => ({ client, key: `key of ${client}`, size, time: 150 });

describe("the audit log", () => {
  it("is its newest checkpoint, who has witnessed it, and what is not witnessed", async () => {
    serverAnswers({ [NEWEST]: () => json({ entries: [auditEntry(15)], size: 16 }) });
    show(<Trust />);
    connected({ audit: audit({ witnesses: [witness("client-1", 14), witness("client-2", 9)] }) });
    const summary = screen.getByTestId("audit-summary");
    expect(summary).toHaveTextContent("checkpoint over 16 entries, root 941723b9…");
    expect(summary).toHaveTextContent("The last 2 entries have not been witnessed yet.");
    const names = within(screen.getByRole("list", { name: "witnesses" })).getAllByRole("listitem");
    expect(names.map((item) => item.textContent)).toEqual(["client-1 14 of 16", "client-2 9 of 16"]);
    await waitFor(() => expect(rows()).toEqual(["15"]));
  });

  it("is followed as it grows", async () => {
    let newest = [auditEntry(15)];
    serverAnswers({ [NEWEST]: () => json({ entries: newest, size: newest.length }) });
    show(<Trust />);
    connected();
    await waitFor(() => expect(rows()).toEqual(["15"]));
    newest = [auditEntry(16), auditEntry(15)];
    const data = audit({ size: 17, witnesses: [witness("client-1", 17)] });
    happens({ seq: 11, time: 201, type: "audit_update", data });
    expect(screen.getByTestId("audit-summary")).toHaveTextContent("All of it has been witnessed.");
    await waitFor(() => expect(rows()).toEqual(["16", "15"]), { timeout: 3000 });
  });

  it("is read back to its beginning", async () => {
    const first = [auditEntry(3), auditEntry(2)];
    serverAnswers({
      [NEWEST]: () => json({ entries: first, size: 4 }),
      "GET /api/v1/audit/entries?limit=50&before=2": () =>
        json({ entries: [auditEntry(1), auditEntry(0)], size: 4 }),
    });
    const reader = show(<Trust />);
    connected();
    await reader.click(await screen.findByTestId("audit-older"));
    await waitFor(() => expect(rows()).toEqual(["3", "2", "1", "0"]));
    expect(screen.queryByTestId("audit-older")).not.toBeInTheDocument();
  });

  it("is taken away, with the command that checks it", () => {
    serverAnswers({});
    show(<Trust />);
    connected();
    expect(screen.getByTestId("audit-export")).toHaveAttribute("href", "/api/v1/audit");
    expect(screen.getByTestId("audit-verify")).toHaveTextContent("python -m app.audit verify FILE");
  });

  it("says in the server's words why its entries cannot be listed", async () => {
    serverAnswers({ [NEWEST]: () => problem(503, "The database is locked.") });
    show(<Trust />);
    connected();
    expect(await screen.findByRole("alert")).toHaveTextContent(
      "The entries of the audit log could not be listed: The database is locked.",
    );
  });
});

describe("who was refused", () => {
  const refused = (): HTMLElement => screen.getByTestId("refusals");
  afterEach(() => vi.useRealTimers());

  it("is known from the start, and asked for again", async () => {
    let times = 1;
    const asked = serverAnswers({
      "GET /api/v1/status": () => json(status({ refused: { "token-wrong": (times += 1) } })),
    });
    vi.useFakeTimers({ shouldAdvanceTime: true });
    show(<Trust />);
    connected({ status: status({ refused: { "token-wrong": 1 } }) });
    expect(refused()).toHaveTextContent("refused since the server started: 1 (wrong invitation 1×)");
    await waitFor(() => expect(refused()).toHaveTextContent("wrong invitation 2×"));
    await vi.advanceTimersByTimeAsync(10_000);
    await waitFor(() => expect(refused()).toHaveTextContent("wrong invitation 3×"));
    expect(asked.filter(({ what }) => what === "GET /api/v1/status")).toHaveLength(2);
  });

  it("stays as it was known last while the server cannot say", async () => {
    const asked = serverAnswers({ "GET /api/v1/status": () => problem(503, "The server ends.") });
    show(<Trust />);
    connected({ status: status({ refused: { "page-unknown": 4 } }) });
    await waitFor(() => expect(asked.map(({ what }) => what)).toContain("GET /api/v1/status"));
    expect(refused()).toHaveTextContent("unknown reader of the page 4×");
  });
});

describe("privacy budgets", () => {
  it("are shown with what each client has spent of them, and who declines", () => {
    serverAnswers({});
    show(<Trust />);
    const declined = result({ verdict: "declined", error: "declined by its site: privacy_budget = 3" });
    const first = {
      a: result({ epsilon: 2.9, epsilon_budget: 3 }),
      b: result({ epsilon: 1.5 }),
    };
    const dp = { noise_multiplier: 1, target_epsilon: null, clipping_norm: 1, delta: 1e-5 };
    connected({
      runs: [run({ id: "aa", spec: spec({ dp }) })],
      rounds: { aa: [round(1, { per_client: first }), round(2, { per_client: { a: declined } })] },
    });
    const [a, b] = screen.getAllByTestId("budget");
    expect(a).toHaveTextContent("a2.90 of 3.00, 0.10 left, declines further rounds");
    expect(b).toHaveTextContent("b1.50, no budget");
    expect(screen.getByRole("meter", { name: "spent by a" })).toHaveAttribute("value", "2.9");
  });

  it("and witnesses are named of a dozen among many, those first whose budget is nearly spent", () => {
    serverAnswers({});
    show(<Trust />);
    const ids = Array.from({ length: 1000 }, (_, at) => `client-${at + 1}`);
    const per_client = Object.fromEntries(
      ids.map((id, at) => [id, result({ epsilon: at === 776 ? 2.5 : 1, epsilon_budget: 3 })]),
    );
    const dp = { noise_multiplier: 1, target_epsilon: null, clipping_norm: 1, delta: 1e-5 };
    connected({
      audit: audit({ witnesses: ids.map((id) => witness(id, 16)) }),
      runs: [run({ id: "aa", spec: spec({ dp }) })],
      rounds: { aa: [round(1, { per_client })] },
    });
    expect(screen.getAllByTestId("budget")).toHaveLength(12);
    expect(screen.getAllByTestId("budget")[0]).toHaveAttribute("data-client", "client-777");
    expect(screen.getByRole("link", { name: "988 other clients" })).toHaveAttribute(
      "href",
      "/clients?sort=ε&order=desc",
    );
    expect(screen.getByRole("list", { name: "witnesses" })).toHaveTextContent("and 988 other clients");
  });

  it("are not mentioned in a run that spends nothing", () => {
    serverAnswers({});
    show(<Trust />);
    connected({ runs: [run({ id: "aa" })] });
    expect(screen.queryByTestId("budgets")).not.toBeInTheDocument();
  });
});

describe("verifying on the server", () => {
  it("tells in words what came of it", async () => {
    serverAnswers({
      [NEWEST]: () => json({ entries: [], size: 0 }),
      "GET /api/v1/audit/verification": () =>
        json({ wrong: null, entries: 16, checkpoints: 1, unwitnessed: 2 }),
    });
    const reader = show(<Trust />);
    connected({ audit: audit() });
    await reader.click(screen.getByTestId("audit-check"));
    await waitFor(() =>
      expect(screen.getByTestId("audit-checked")).toHaveTextContent(
        "All hashes and signatures of 16 entries and 1 checkpoint are right. For the last 2 entries the server alone vouches.",
      ),
    );
  });

  it("says what is wrong", async () => {
    serverAnswers({
      [NEWEST]: () => json({ entries: [], size: 0 }),
      "GET /api/v1/audit/verification": () =>
        json({ wrong: "Line 7, after entry 4: the leaf is another.", entries: null }),
    });
    const reader = show(<Trust />);
    connected({ audit: audit() });
    await reader.click(screen.getByTestId("audit-check"));
    await waitFor(() =>
      expect(screen.getByTestId("audit-checked")).toHaveTextContent(
        "The log is not as it was signed. Line 7, after entry 4: the leaf is another.",
      ),
    );
  });
});
