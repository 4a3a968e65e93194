import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { useWho } from "../login/who";
import { RunBar } from "../runs/RunBar";
import { me, run } from "../testing/fixtures";
import { connected, json, problem, serverAnswers, show, toldIn } from "../testing/page";
import { UserMenu } from "./UserMenu";

const user = (name: string, role = "viewer") => ({ name, role, created_at: 1 });
const EMPTY = {
  "GET /api/v1/users": () => json({ users: [user("alice", "admin"), user("bob")] }),
  "GET /api/v1/tokens": () => json({ tokens: [] }),
};

async function openUsers(answers: Parameters<typeof serverAnswers>[0]) {
  const asked = serverAnswers({ ...EMPTY, ...answers });
  const reader = show(<UserMenu />);
  await reader.click(screen.getByTestId("user-menu"));
  await reader.click(await screen.findByTestId("open-users"));
  await screen.findByRole("button", { name: "Remove bob" });
  return { asked, reader };
}

describe("the menu of the reader", () => {
  it.each([
    [me(), "this computer", ["Users and tokens"]],
    [
      me({ name: "alice", by: "session", csrf: "x" }),
      "alice",
      ["Users and tokens", "Change password", "Log out"],
    ],
    [me({ name: "bob", by: "session", csrf: "x", role: "viewer" }), "bob", ["Change password", "Log out"]],
    [me({ by: "key", csrf: "x" }), "key", ["Users and tokens", "Log out"]],
  ])("offers what they can do", async (reading, name, items) => {
    useWho.setState({ state: "in", me: reading });
    const reader = show(<UserMenu />);
    await reader.click(screen.getByRole("button", { name }));
    const offered = await screen.findAllByRole("menuitem");
    expect(offered.map((item) => item.textContent)).toEqual(["Notifications: off", ...items]);
  });
});

describe("users", () => {
  it("are given another role", async () => {
    const { asked, reader } = await openUsers({
      "PATCH /api/v1/users/bob": () => json(user("bob", "operator")),
    });
    await reader.selectOptions(screen.getByLabelText("role of bob"), "operator");
    expect(toldIn(asked)).toEqual([
      { what: "PATCH /api/v1/users/bob", body: { role: "operator", password: null } },
    ]);
  });

  it("are added with a password", async () => {
    const { asked, reader } = await openUsers({ "POST /api/v1/users": () => json(user("carol"), 201) });
    const form = within(screen.getByTestId("users"));
    await reader.type(form.getByLabelText("new user"), "carol");
    await reader.type(form.getByLabelText(/^password/), "a long password");
    await reader.click(form.getByRole("button", { name: "Add user" }));
    expect(toldIn(asked)).toEqual([
      { what: "POST /api/v1/users", body: { name: "carol", role: "viewer", password: "a long password" } },
    ]);
  });

  it("are given another password, which ends their sessions", async () => {
    const { asked, reader } = await openUsers({
      "PATCH /api/v1/users/bob": () => json(user("bob")),
    });
    await reader.click(screen.getByRole("button", { name: "Set password of bob" }));
    const form = within(screen.getByRole("form", { name: "password of bob" }));
    expect(form.getByText(/bob is logged out everywhere/)).toBeVisible();
    await reader.type(form.getByLabelText(/^another password for bob/), "a long password");
    await reader.click(form.getByRole("button", { name: "Set password" }));
    expect(toldIn(asked)).toEqual([
      { what: "PATCH /api/v1/users/bob", body: { role: null, password: "a long password" } },
    ]);
    await waitFor(() => expect(screen.queryByRole("form", { name: "password of bob" })).toBeNull());
  });

  it("keep their password where the server does not take the new one, and it says why", async () => {
    const { reader } = await openUsers({
      "PATCH /api/v1/users/bob": () => problem(422, "A password has 10 characters or more."),
    });
    await reader.click(screen.getByRole("button", { name: "Set password of bob" }));
    const form = within(screen.getByRole("form", { name: "password of bob" }));
    await reader.type(form.getByLabelText(/^another password for bob/), "short");
    await reader.click(form.getByRole("button", { name: "Set password" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("10 characters or more");
    await reader.click(form.getByRole("button", { name: "Cancel" }));
    expect(screen.queryByRole("form", { name: "password of bob" })).toBeNull();
  });

  it("stay when the server says so, with the reason", async () => {
    const { reader } = await openUsers({
      "DELETE /api/v1/users/alice": () => problem(409, "alice is the only administrator."),
    });
    await reader.click(screen.getByRole("button", { name: "Remove alice" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("alice is the only administrator.");
  });
});

describe("a token", () => {
  it("is shown once, when it is made", async () => {
    const made = { id: "1", label: "ci", role: "operator", creator: null, created_at: 1, expires_at: 2 };
    const { asked, reader } = await openUsers({
      "POST /api/v1/tokens": () => json({ ...made, token: "the-secret" }, 201),
    });
    const form = within(screen.getByTestId("tokens"));
    await reader.type(form.getByLabelText("new token, for"), "ci");
    await reader.selectOptions(form.getByLabelText("role"), "operator");
    await reader.click(form.getByRole("button", { name: "Make token" }));
    expect(await screen.findByTestId("made-token")).toHaveTextContent("the-secret");
    expect(toldIn(asked)).toEqual([
      {
        what: "POST /api/v1/tokens",
        body: { label: "ci", role: "operator", expires_in_s: 90 * 24 * 3600 },
      },
    ]);
  });
});

describe("a viewer", () => {
  it("sees no button that only an operator may press", () => {
    useWho.setState({ state: "in", me: me({ role: "viewer" }) });
    show(<RunBar />);
    connected({ runs: [run({ id: "aa" })] });
    for (const button of ["new-run", "pause", "stop"])
      expect(screen.queryByTestId(button)).not.toBeInTheDocument();
    expect(screen.getByTestId("run-state")).toBeVisible();
  });
});
