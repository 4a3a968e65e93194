import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { audit, auditEntry, result, round, run, spec } from "../testing/fixtures";
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

  it("are not mentioned in a run that spends nothing", () => {
    serverAnswers({});
    show(<Trust />);
    connected({ runs: [run({ id: "aa" })] });
    expect(screen.queryByTestId("budgets")).not.toBeInTheDocument();
  });
});
