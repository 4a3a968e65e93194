import { Button, Menu } from "@mantine/core";
import { lazy, Suspense, useState } from "react";
import { logOut } from "../api/requests";
import { mayBe, useWho } from "../login/who";
import { NoticesItem } from "../notices/NoticesItem";
import { loadUsersDialog } from "../page/parts";
import { PasswordDialog } from "./PasswordDialog";
import styles from "./UserMenu.module.css";
import { byWords, nameOf } from "./words";

const UsersDialog = lazy(loadUsersDialog);

type Opened = "users" | "password" | null;

/** Who reads the page and as what, and what they can change of that. */
export function UserMenu() {
  const me = useWho((who) => who.me);
  const [opened, setOpened] = useState<Opened>(null);
  const [failure, setFailure] = useState<string | null>(null);
  if (me === null) return null;
  const leave = async (): Promise<void> => {
    try {
      await logOut();
      // From the beginning, so that nothing of what was shown stays in the page.
      location.reload();
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button
            variant="subtle"
            size="compact-sm"
            aria-label={nameOf(me)}
            title={byWords(me)}
            data-testid="user-menu"
          >
            <PersonMark />
            <span className={styles.name}>{nameOf(me)}</span>
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>
            {byWords(me)}: {me.role}
          </Menu.Label>
          {failure !== null && <Menu.Label role="alert">{failure}</Menu.Label>}
          <NoticesItem />
          {mayBe(me, "admin") && (
            <Menu.Item onClick={() => setOpened("users")} data-testid="open-users">
              Users and tokens
            </Menu.Item>
          )}
          {me.by === "session" && (
            <Menu.Item onClick={() => setOpened("password")} data-testid="open-password">
              Change password
            </Menu.Item>
          )}
          {me.csrf !== null && (
            <Menu.Item closeMenuOnClick={false} onClick={() => void leave()} data-testid="log-out">
              Log out
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      {opened === "users" && (
        <Suspense fallback={null}>
          <UsersDialog close={() => setOpened(null)} />
        </Suspense>
      )}
      {opened === "password" && <PasswordDialog close={() => setOpened(null)} />}
    </>
  );
}

/** All that is seen of the menu where there is little room. */
function PersonMark() {
  return (
    <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      <circle cx="6" cy="3.5" r="2.5" fill="currentColor" />
      <path d="M1 12a5 5 0 0 1 10 0z" fill="currentColor" />
    </svg>
  );
}
