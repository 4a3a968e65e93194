import { Link, useLocation } from "wouter";
import { BASE } from "../api/base";
import { useUnseenErrors } from "../events/useUnseenErrors";
import { plural } from "../format/format";
import { useStore } from "../store/store";
import { UserMenu } from "../users/UserMenu";
import { ConnectionState } from "./ConnectionState";
import styles from "./Header.module.css";
import { Mark } from "./Mark";
import { isAt, NAV } from "./nav";
import { ThemeToggle } from "./ThemeToggle";

export function Header() {
  const version = useStore((state) => state.server.status?.version);
  return (
    <header className={styles.header}>
      <Mark />
      <h1 className={styles.name}>FedLoom</h1>
      {version !== undefined && <span className={`${styles.wide} mono small dim`}>{version}</span>}
      <Views />
      <span className={styles.space} />
      <ConnectionState />
      <a className={styles.link} href={`${BASE}/api/docs`}>
        API
      </a>
      <ThemeToggle />
      <UserMenu />
    </header>
  );
}

function Views() {
  const [path] = useLocation();
  const errors = useUnseenErrors(path === "/");
  return (
    <nav className={styles.views} aria-label="pages">
      {NAV.map(({ to, title }) => (
        <Link
          key={to}
          className={styles.view ?? ""}
          href={to}
          aria-current={isAt(path, to) ? "page" : undefined}
          data-testid={`view-${title.toLowerCase()}`}
        >
          {title}
          {to === "/" && errors.length > 0 && (
            <span className={styles.unseen} data-testid="unseen-errors">
              {" "}
              {plural(errors.length, "new error")}
            </span>
          )}
        </Link>
      ))}
      <span className="hidden-visually" role="alert">
        {errors.at(-1)?.message}
      </span>
    </nav>
  );
}
