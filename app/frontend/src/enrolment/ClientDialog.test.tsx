import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { ClientTable } from "../clients/ClientTable";
import { client } from "../testing/fixtures";
import { connected, happens, json, serverAnswers, show, toldIn } from "../testing/page";

const KEY = "YR27AJ7-I34UCDW-T4VRRPG-GCP7D6L-TVXMAHD-UM5YZBH-56FRE7A-XYJSUA3";
const mary = client("mary", { key: KEY });
const revoked = { ...mary, membership: "revoked", state: "lost" } as const;

describe("a client's dialog", () => {
  it("tells its key, and revokes it once somebody has read what that means", async () => {
    const asked = serverAnswers({ "POST /api/v1/clients/mary/revoke": () => json(revoked) });
    const reader = show(<ClientTable />);
    connected({ clients: [mary] });

    await reader.click(screen.getByTestId("client-open"));
    expect(await screen.findByTestId("client-facts")).toHaveTextContent(KEY);
    await reader.click(screen.getByTestId("revoke"));
    expect(await screen.findByTestId("revoke-consequence")).toHaveTextContent("It is cut off at once.");
    expect(toldIn(asked)).toEqual([]);
    await reader.click(screen.getByTestId("revoke-confirm"));

    await waitFor(() => expect(toldIn(asked)).toHaveLength(1));
    happens({ seq: 11, time: 201, type: "client_update", data: revoked });
    expect(screen.getByTestId("client-state")).toHaveTextContent("revoked");
    expect(screen.getByTestId("client-count")).toHaveTextContent("0 connected");
  });

  it("re-admits one that was revoked", async () => {
    const asked = serverAnswers({ "POST /api/v1/clients/mary/readmit": () => json(mary) });
    const reader = show(<ClientTable />);
    connected({ clients: [revoked] });
    await reader.click(screen.getByTestId("client-open"));
    await reader.click(await screen.findByTestId("readmit"));
    await waitFor(() =>
      expect(toldIn(asked)).toEqual([{ what: "POST /api/v1/clients/mary/readmit", body: { key: null } }]),
    );
  });
});
