import { Menu } from "@mantine/core";
import { act, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { run } from "../testing/fixtures";
import { connected, happens, show } from "../testing/page";
import { NoticesItem } from "./NoticesItem";
import { useNotices } from "./useNotices";
import { useWish, wishNow } from "./wish";

const shown: { title: string; options: NotificationOptions }[] = [];

/** A browser's Notification, and what its reader says when asked. */
function browserAsks(permission: NotificationPermission, answer: NotificationPermission = permission) {
  const requestPermission = vi.fn(() => {
    Browser.permission = answer;
    return Promise.resolve(answer);
  });
  class Browser {
    static permission = permission;
    static requestPermission = requestPermission;
    constructor(title: string, options: NotificationOptions) {
      shown.push({ title, options });
    }
    close = vi.fn();
  }
  vi.stubGlobal("isSecureContext", true);
  vi.stubGlobal("Notification", Browser);
  return requestPermission;
}

function Page() {
  useNotices();
  return (
    <Menu opened>
      <Menu.Dropdown>
        <NoticesItem />
      </Menu.Dropdown>
    </Menu>
  );
}

function showPage() {
  act(() => useWish.setState({ wish: wishNow() }));
  return show(<Page />);
}

const item = () => screen.getByTestId("notifications");

beforeEach(() => {
  localStorage.clear();
  shown.length = 0;
});
afterEach(() => vi.restoreAllMocks());

describe("notifications", () => {
  it("are asked for when they are turned on, and not before", async () => {
    const asked = browserAsks("default", "granted");
    const user = showPage();
    expect(item()).toHaveTextContent("Notifications: off");
    expect(asked).not.toHaveBeenCalled();
    await user.click(item());
    await waitFor(() => expect(item()).toHaveTextContent("Notifications: on"));
    expect(localStorage.getItem("fedloom:notifications")).toBe("on");
    await user.click(item());
    expect(item()).toHaveTextContent("Notifications: off");
  });

  it("say why they cannot be", () => {
    browserAsks("denied");
    showPage();
    expect(item()).toHaveAttribute("data-disabled", "true");
    expect(screen.getByText(/was told not to show/)).toBeVisible();
    vi.stubGlobal("isSecureContext", false);
    act(() => useWish.setState({ wish: wishNow() }));
    expect(screen.getByText(/https:\/\/ addresses and on localhost only/)).toBeVisible();
  });

  it("come while nobody looks at the page, and only then", async () => {
    browserAsks("granted");
    const user = showPage();
    await user.click(item());
    connected({ runs: [run(), run({ id: "b" })] });
    const looks = vi.spyOn(document, "hasFocus").mockReturnValue(true);
    happens({ type: "run_update", seq: 100_001, time: 1, data: run({ state: "completed" }) });
    expect(shown).toEqual([]);
    looks.mockReturnValue(false);
    happens({
      type: "run_update",
      seq: 100_002,
      time: 1,
      data: run({ id: "b", state: "failed", reason: "why" }),
    });
    expect(shown).toMatchObject([{ title: "Run b has failed", options: { tag: "end b failed 4" } }]);
  });

  it("do not come where they were not asked for", () => {
    browserAsks("granted");
    showPage();
    connected({ runs: [run()] });
    vi.spyOn(document, "hasFocus").mockReturnValue(false);
    happens({ type: "run_update", seq: 100_001, time: 1, data: run({ state: "completed" }) });
    expect(shown).toEqual([]);
  });
});
