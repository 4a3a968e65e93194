import { Link, useLocation } from "wouter";
import { Panel } from "../ui/Panel";
import styles from "./App.module.css";

export function NoSuchPage() {
  const [path] = useLocation();
  return (
    <div className={styles.whole}>
      <Panel title="no such page" area="whole">
        <p className={styles.loading} data-testid="no-such-page">
          There is nothing at <span className="mono">{path}</span>. See <Link href="/">what runs now</Link> or{" "}
          <Link href="/runs">all runs</Link>.
        </p>
      </Panel>
    </div>
  );
}
