import { describe, expect, it } from "vitest";
import { addressElsewhere, FIRST_WISH, isLoopback, wishFor } from "./wish";

describe("an invitation as it is asked for", () => {
  it("is for one client and seven days, if nothing else was chosen", () => {
    expect(wishFor(FIRST_WISH)).toEqual({ kind: "one-off", label: "", expires_s: 604_800 });
  });

  it("has a limit where its kind has one", () => {
    const many = { ...FIRST_WISH, limit: 5, expires: "never", host: " lab.example.org " };
    expect(wishFor({ ...many, kind: "reusable", label: " lab " })).toEqual({
      kind: "reusable",
      label: "lab",
      expires_s: null,
      max_uses: 5,
      host: "lab.example.org",
    });
    expect(wishFor(many)).not.toHaveProperty("max_uses");
  });

  it("is not kept, and so has no label and no end, where its clients wait for approval", () => {
    expect(wishFor({ ...FIRST_WISH, kind: "approval", label: "lab", limit: 3 })).toEqual({
      kind: "approval",
    });
  });
});

it("knows the addresses that nobody else reaches", () => {
  expect(["127.0.0.1", "localhost", "::1", "0.0.0.0", "192.0.2.1"].map(isLoopback)).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
});

it.each([
  ["127.0.0.1", "localhost", null],
  ["192.0.2.1", "localhost", "192.0.2.1"],
  ["0.0.0.0", "localhost", null],
  ["::", "[::1]", null],
  ["0.0.0.0", "lab.example.org", "lab.example.org"],
  ["::", "[2001:db8::1]", "2001:db8::1"],
])("knows where others reach a server at %s whose page was opened at %s", (host, page, address) => {
  expect(addressElsewhere(host, page)).toBe(address);
});
