import { describe, expect, it } from "vitest";
import { run, spec } from "../../testing/fixtures";
import { cellOf, COLUMNS, DEFAULT_COLUMNS, gridOf, shownColumns } from "./columns";
import { choiceOf, isFiltered, paramsOf, queryOf, sortedBy, toggled } from "./query";

const choice = (search = "") => choiceOf(new URLSearchParams(search));

describe("the choice in the address", () => {
  it("says nothing where all is as by default", () => {
    expect(paramsOf(choice()).toString()).toBe("");
    expect(isFiltered(choice())).toBe(false);
  });

  it("comes back as it was", () => {
    const address =
      "q=seed+7&state=completed%2Cfailed&dataset=mnist&strategy=krum&tag=a&tag=b+c&sort=lr&order=asc&columns=state%2Cname&selected=a1%2Cb2";
    expect(paramsOf(choice(address)).toString()).toBe(address);
    expect(isFiltered(choice(address))).toBe(true);
  });

  it("that makes no sense is left out", () => {
    expect(choice("state=happy&sort=luck&order=up&columns=x&dataset=none")).toEqual(choice());
  });

  it("asks the server for no more than it says", () => {
    expect(queryOf(choice("q=a&tag=x"))).toEqual({
      q: "a",
      state: [],
      dataset: [],
      strategy: [],
      tag: ["x"],
      sort: "created",
      order: "desc",
    });
    expect(queryOf(choice())).not.toHaveProperty("q");
  });

  it("turns the order of a column that is pressed again", () => {
    const once = sortedBy(choice(), "accuracy");
    expect([once.sort, once.order]).toEqual(["accuracy", "desc"]);
    expect(sortedBy(once, "accuracy").order).toBe("asc");
    expect(sortedBy(once, "name").order).toBe("asc");
  });

  it("toggles", () => {
    expect(toggled(["a"], "b")).toEqual(["a", "b"]);
    expect(toggled(["a", "b"], "a")).toEqual(["b"]);
  });
});

describe("the columns", () => {
  const told = { titleOf: (name: string) => name, received: 2000, now: 161 };

  it("are four on a phone, whatever was chosen", () => {
    expect(shownColumns(DEFAULT_COLUMNS, true).map(({ name }) => name)).toEqual([
      "state",
      "name",
      "accuracy",
      "started",
    ]);
  });

  it("tell runs apart that differ in epochs, learning rate or seed", () => {
    const words = (changes: Parameters<typeof spec>[0]): string =>
      COLUMNS.map(({ name }) => cellOf(name, run({ spec: spec(changes) }), told).text).join(" ");
    const all = [words({}), words({ local_epochs: 5 }), words({ lr: 0.1 }), words({ seed: 3 })];
    expect(new Set(all).size).toBe(4);
    for (const name of ["epochs", "lr", "seed"] as const) expect(DEFAULT_COLUMNS).toContain(name);
  });

  it("have room for a thousand rounds", () => {
    const { text } = cellOf("rounds", run({ round: 1000, num_rounds: 1000 }), told);
    expect(text).toBe("1,000 of 1,000");
    const width = COLUMNS.find(({ name }) => name === "rounds")?.width ?? 0;
    expect(width).toBeGreaterThanOrEqual(text.length * 8); // JetBrains Mono at 12 px is 7.2 px wide
  });

  it("say why there is nothing", () => {
    expect(cellOf("alpha", run({ spec: spec({ app: "other" }) }), told)).toEqual({
      text: "–",
      why: "the app has settings of its own",
    });
    expect(cellOf("accuracy", run({ final: null }), told).why).toBe("not evaluated yet");
  });

  it("tell how long a run has lasted", () => {
    expect(cellOf("duration", run({ started_at: 101, finished_at: null }), told).text).toBe("1:00");
  });

  it("have a width each, after the box", () => {
    expect(gridOf(shownColumns(["state", "name"], false), false)).toBe("24px 104px minmax(160px, 1fr)");
  });
});
