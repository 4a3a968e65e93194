import { Panel } from "../ui/Panel";
import styles from "./Logs.module.css";
import { LogView } from "./LogView";

/** What server and clients have written down. */
export default function LogsPage() {
  return (
    <div className={styles.page}>
      <Panel title="log" area="log">
        <LogView />
      </Panel>
    </div>
  );
}
