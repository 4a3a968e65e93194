import { describe, expect, it } from "vitest";
import { client } from "../testing/fixtures";
import { applicants, joined, shortKey } from "./applicants";

const FIRST = "YR27AJ7-I34UCDW-T4VRRPG-GCP7D6L-TVXMAHD-UM5YZBH-56FRE7A-XYJSUA3";
const SECOND = "E63LKTB-LGQFJL7-L4M7AHY-FGUMCD2-MCXVCHW-66MUKWD-QNDD5QE-KYXZMAF";

describe("those who ask to join", () => {
  it("are one for each key, under a name that is free or another's", () => {
    const free = client("a", { membership: "pending", key: FIRST, waiting_keys: [SECOND] });
    const taken = client("b", { key: FIRST, waiting_keys: [SECOND] });
    expect(
      applicants([free, taken, client("c")]).map(({ client: { id }, key, claim }) => [id, key, claim]),
    ).toEqual([
      ["a", FIRST, false],
      ["a", SECOND, false],
      ["b", SECOND, true],
    ]);
  });

  it("have not joined", () => {
    const clients = [
      client("a", { membership: "pending" }),
      client("b"),
      client("c", { membership: "revoked" }),
    ];
    expect(joined(clients).map(({ id }) => id)).toEqual(["b", "c"]);
  });
});

it("shows of a key what both ends print", () => {
  expect(shortKey(FIRST)).toBe("YR27-AJ7I");
});
