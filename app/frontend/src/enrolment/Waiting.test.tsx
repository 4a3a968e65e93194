import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { client } from "../testing/fixtures";
import { connected, happens, json, problem, serverAnswers, show, toldIn } from "../testing/page";
import { Waiting } from "./Waiting";

const KEY = "YR27AJ7-I34UCDW-T4VRRPG-GCP7D6L-TVXMAHD-UM5YZBH-56FRE7A-XYJSUA3";
const OTHER = "E63LKTB-LGQFJL7-L4M7AHY-FGUMCD2-MCXVCHW-66MUKWD-QNDD5QE-KYXZMAF";
const asks = client("hospital", { membership: "pending", state: "lost", key: KEY });

describe("clients that wait to be let in", () => {
  it("are not there while nobody waits", () => {
    show(<Waiting />);
    connected({ clients: [client("client-1")] });
    expect(screen.queryByTestId("waiting")).not.toBeInTheDocument();
  });

  it("are approved by the key that was looked at, and leave the list", async () => {
    const asked = serverAnswers({
      "POST /api/v1/clients/hospital/approve": () => json({ ...asks, membership: "admitted" }),
    });
    const reader = show(<Waiting />);
    connected({ clients: [asks] });
    expect(screen.getByTestId("applicant")).toHaveTextContent("hospital asks to join");
    expect(screen.getByText("YR27-AJ7I")).toHaveAttribute("title", KEY);

    await reader.click(screen.getByRole("button", { name: "Approve" }));

    expect(toldIn(asked)).toEqual([{ what: "POST /api/v1/clients/hospital/approve", body: { key: KEY } }]);
    expect(screen.getByTestId("approve")).toHaveTextContent("Approving…");
    happens({ seq: 11, time: 201, type: "client_update", data: { ...asks, membership: "admitted" } });
    expect(screen.queryByTestId("applicant")).not.toBeInTheDocument();
  });

  it("are rejected", async () => {
    const asked = serverAnswers({
      "POST /api/v1/clients/hospital/reject": () => json({ ...asks, membership: "rejected" }),
    });
    const reader = show(<Waiting />);
    connected({ clients: [asks] });
    await reader.click(screen.getByRole("button", { name: "Reject" }));
    expect(toldIn(asked)).toEqual([{ what: "POST /api/v1/clients/hospital/reject", body: { key: KEY } }]);
  });

  it("may ask for the name of another, who may have lost its key", async () => {
    const asked = serverAnswers({ "POST /api/v1/clients/hospital/readmit": () => json(asks) });
    const reader = show(<Waiting />);
    connected({ clients: [client("hospital", { key: KEY, waiting_keys: [OTHER] })] });
    const applicant = within(screen.getByTestId("applicant"));
    expect(applicant.getByText(/asks to join with another key/)).toBeVisible();
    await reader.click(applicant.getByRole("button", { name: "Re-admit" }));
    expect(toldIn(asked)).toEqual([{ what: "POST /api/v1/clients/hospital/readmit", body: { key: OTHER } }]);
  });

  it("say why the server did not do it", async () => {
    serverAnswers({ "POST /api/v1/clients/hospital/approve": () => problem(409, "It may have given up.") });
    const reader = show(<Waiting />);
    connected({ clients: [asks] });
    await reader.click(screen.getByRole("button", { name: "Approve" }));
    await waitFor(() => expect(screen.getByRole("alert")).toHaveTextContent("It may have given up."));
  });

  it("vanish when they have given up", () => {
    show(<Waiting />);
    connected({ clients: [asks] });
    happens({ seq: 11, time: 201, type: "client_gone", data: { id: "hospital" } });
    expect(screen.queryByTestId("applicant")).not.toBeInTheDocument();
  });
});
