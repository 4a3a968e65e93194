import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { ListedInvitation, NewInvitation } from "../api/types";
import { status } from "../testing/fixtures";
import { connected, json, problem, serverAnswers, show, toldIn } from "../testing/page";
import InviteDialog from "./InviteDialog";

const listed = (changes: Partial<ListedInvitation["invitation"]> = {}): ListedInvitation => ({
  invitation: {
    id: "a1b2c3d4",
    kind: "one-off",
    label: "St. Mary's",
    max_uses: 1,
    uses: 0,
    created_at: 100,
    expires_at: 100_000,
    revoked_at: null,
    ...changes,
  },
  state: "open",
});

const made: NewInvitation = {
  invitation: listed().invitation,
  text: "fedloom://lab.example.org:9092?key=AAAA&token=secret",
  command:
    "python run_client.py --client-id NAME --invite 'fedloom://lab.example.org:9092?key=AAAA&token=secret'",
  qr: "<svg xmlns='http://www.w3.org/2000/svg'/>",
};

const dialog = <InviteDialog opened onClose={() => undefined} />;
const nobody = () => json({ invitations: [] });

describe("the dialog that invites", () => {
  it("makes an invitation and shows it as text, command and picture", async () => {
    const asked = serverAnswers({
      "GET /api/v1/invitations": nobody,
      "POST /api/v1/invitations": () => json(made, 201),
    });
    const reader = show(dialog);
    connected({ status: status({ link: { host: "0.0.0.0", port: 9092 } }) });

    await reader.type(screen.getByLabelText("For whom"), "St. Mary's");
    await reader.click(screen.getByTestId("invite-submit"));

    expect(await screen.findByTestId("invitation-text")).toHaveTextContent(made.text);
    expect(screen.getByTestId("invitation-command")).toHaveTextContent(made.command);
    const picture = screen.getByRole("img", { name: /QR code/ });
    expect(picture.getAttribute("src")).toBe(`data:image/svg+xml;utf8,${encodeURIComponent(made.qr)}`);
    expect(toldIn(asked)).toMatchObject([
      {
        what: "POST /api/v1/invitations",
        body: { kind: "one-off", label: "St. Mary's", expires_s: 604_800 },
      },
    ]);
  });

  it("says that nobody else reaches a server on this machine alone", () => {
    serverAnswers({ "GET /api/v1/invitations": nobody });
    show(dialog);
    connected();
    expect(screen.getByText(/listens on this machine only/)).toBeVisible();
  });

  it("asks for a limit where there can be one, and for no end where nothing is kept", async () => {
    serverAnswers({ "GET /api/v1/invitations": nobody });
    const reader = show(dialog);
    connected();
    expect(screen.queryByLabelText("At most so many clients")).not.toBeInTheDocument();
    await reader.selectOptions(screen.getByLabelText("Invitation"), "for many clients");
    expect(screen.getByLabelText("At most so many clients")).toBeVisible();
    await reader.selectOptions(
      screen.getByLabelText("Invitation"),
      "without a secret: you approve each client",
    );
    expect(screen.queryByLabelText("Expires after")).not.toBeInTheDocument();
  });

  it("says why the server made none", async () => {
    serverAnswers({
      "GET /api/v1/invitations": nobody,
      "POST /api/v1/invitations": () => problem(422, "Say by which name clients reach it."),
    });
    const reader = show(dialog);
    connected();
    await reader.click(screen.getByTestId("invite-submit"));
    expect(await screen.findByTestId("invite-failure")).toHaveTextContent("Say by which name");
  });

  it("lists who was invited, and revokes", async () => {
    let state: ListedInvitation["state"] = "open";
    const asked = serverAnswers({
      "GET /api/v1/invitations": () => json({ invitations: [{ ...listed(), state }] }),
      "POST /api/v1/invitations/a1b2c3d4/revoke": () => {
        state = "revoked";
        return json({ ...listed(), state });
      },
    });
    const reader = show(dialog);
    connected();
    const row = within(await screen.findByTestId("invitation"));
    expect(row.getByText("St. Mary's")).toBeVisible();
    expect(row.getByText("used 0 of 1")).toBeVisible();

    await reader.click(row.getByRole("button", { name: "Revoke the invitation St. Mary's" }));

    await waitFor(() => expect(screen.getByTestId("invitation")).toHaveAttribute("data-state", "revoked"));
    expect(toldIn(asked)).toHaveLength(1);
  });
});
