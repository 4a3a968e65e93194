import { describe, expect, it } from "vitest";
import { logEntry, run } from "../testing/fixtures";
import { countsOf, filterOf, isOf, lineOf, queryOf, sumOf, withFilter } from "./filter";

const ALL = filterOf(new URLSearchParams());

describe("the filter in the address", () => {
  it("is read from it and written into it", () => {
    const address = withFilter(new URLSearchParams("at=7&other=1"), {
      run: "aa",
      client: "client-1",
      kinds: ["error", "printed"],
      text: "a&b=c",
    });
    expect(filterOf(new URLSearchParams(address.toString()))).toEqual({
      run: "aa",
      client: "client-1",
      kinds: ["error", "printed"],
      text: "a&b=c",
    });
    expect(address.get("other")).toBe("1");
    expect(lineOf(address)).toBeNull();
    expect(withFilter(address, { run: null, client: null, kinds: [], text: "" }).toString()).toBe("other=1");
  });

  it("gives way to what the page has decided, and takes no level that there is not", () => {
    const address = new URLSearchParams("client=client-9&level=fatal,error");
    expect(filterOf(address, { client: "client-1" })).toMatchObject({ client: "client-1", kinds: ["error"] });
  });

  it("names a line by its number", () => {
    expect(lineOf(new URLSearchParams("at=12"))).toBe(12);
    for (const wrong of ["", "0", "-1", "x", "1.5", "1e400"]) {
      expect(lineOf(new URLSearchParams({ at: wrong }))).toBeNull();
    }
  });

  it("asks the server for no more than was chosen", () => {
    expect(queryOf(ALL)).toEqual({});
    expect(queryOf({ run: "aa", client: "server", kinds: ["info"], text: "x" })).toEqual({
      run: "aa",
      source: "server",
      kind: ["info"],
      q: "x",
    });
  });
});

describe("a line that has just come", () => {
  const runs = [run({ id: "new" }), run({ id: "old", state: "completed", finished_at: 50 })];

  it("is found by its client and by its text, in capitals or not", () => {
    const entry = logEntry(1, { source: "client-1", logger: "x", message: "it failed", traceback: "NaN" });
    expect(isOf(entry, { ...ALL, client: "client-1", text: "nan" }, runs)).toBe(true);
    expect(isOf(entry, { ...ALL, client: "client-2" }, runs)).toBe(false);
    expect(isOf(entry, { ...ALL, text: "fine" }, runs)).toBe(false);
  });

  it("belongs to its run, or without one to those that go on", () => {
    expect(isOf(logEntry(1, { run_id: "old" }), { ...ALL, run: "old" }, runs)).toBe(true);
    expect(isOf(logEntry(1, { run_id: "old" }), { ...ALL, run: "new" }, runs)).toBe(false);
    expect(isOf(logEntry(1), { ...ALL, run: "new" }, runs)).toBe(true);
    expect(isOf(logEntry(1), { ...ALL, run: "old" }, runs)).toBe(false);
  });

  it("is counted beside those that the server has counted", () => {
    const counted = { debug: 0, info: 10, warning: 2, error: 1, printed: 0, first: 1, last: 20 };
    const counts = countsOf(counted, [logEntry(21, { logger: "app" }), logEntry(22, { level: "error" })]);
    expect(counts).toEqual({ debug: 0, info: 10, warning: 2, error: 2, printed: 1 });
    expect(sumOf(counts, [])).toBe(15);
    expect(sumOf(counts, ["error", "printed"])).toBe(3);
  });
});
