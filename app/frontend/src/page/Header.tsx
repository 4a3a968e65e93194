import { useStore } from "../store/store";
import { UserMenu } from "../users/UserMenu";
import { ConnectionState } from "./ConnectionState";
import styles from "./Header.module.css";
import { ThemeToggle } from "./ThemeToggle";

export function Header() {
  const version = useStore((state) => state.server.status?.version);
  return (
    <header className={styles.header}>
      <Mark />
      <h1 className={styles.name}>FedLoom</h1>
      {version !== undefined && <span className={`${styles.wide} mono small dim`}>{version}</span>}
      <span className={styles.space} />
      <ConnectionState />
      <a className={styles.link} href="/api/docs">
        API
      </a>
      <ThemeToggle />
      <UserMenu />
    </header>
  );
}

/** Warp and weft: two threads that go over and under three others. */
function Mark() {
  return (
    <svg className={styles.mark} viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
      <path className={styles.warp} d="M8 4v2M8 16v12M16 4v12M16 26v2M24 4v2M24 16v12" />
      <path className={styles.weft} d="M4 11h16M28 11h0M12 21h16M4 21h0" />
    </svg>
  );
}
