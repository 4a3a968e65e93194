import { Menu } from "@mantine/core";
import { turnOff, turnOn, useWish, type Wish } from "./wish";

const WHY: Partial<Record<Wish, string>> = {
  insecure: "Browsers have notifications on https:// addresses and on localhost only.",
  none: "This browser has no notifications.",
  denied: "This browser was told not to show those of this page. Its settings for this address change that.",
};

/** In the menu of the header: notifications of this browser, while the page is open and not looked at. */
export function NoticesItem() {
  const wish = useWish((state) => state.wish);
  const why = WHY[wish];
  return (
    <>
      <Menu.Item
        closeMenuOnClick={false}
        disabled={why !== undefined}
        onClick={() => (wish === "on" ? turnOff() : void turnOn())}
        data-testid="notifications"
      >
        Notifications: {wish === "on" ? "on" : "off"}
      </Menu.Item>
      <Menu.Label maw={264}>
        {why ?? "Ends, failures, long waits, privacy budgets, clients to approve."}
      </Menu.Label>
    </>
  );
}
