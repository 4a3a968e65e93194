import { Panel } from "../ui/Panel";
import Trust from "./Trust";
import styles from "./TrustPage.module.css";

/** Who vouches for what the server says. */
export default function TrustPage() {
  return (
    <div className={styles.trust}>
      <Panel title="trust" area="trust">
        <Trust />
      </Panel>
    </div>
  );
}
