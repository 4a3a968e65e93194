import type { MeshMerge } from "../api/types";
import { Explained } from "../ui/Explained";
import { Panel } from "../ui/Panel";
import { StateMark } from "../ui/StateMark";
import styles from "./MeshNews.module.css";
import { mergeWords } from "./words";

interface MeshNewsProps {
  merges: readonly MeshMerge[];
  /** Why what the clients tell of the mesh could not be loaded. */
  failure: string | null;
}

/** What came of the time without the server. */
export function MeshNews({ merges, failure }: MeshNewsProps) {
  return (
    <Panel title="merges" area="news">
      <ul className={styles.list} aria-label="merges" tabIndex={0}>
        {failure !== null && (
          <li role="alert">What the clients tell of the mesh could not be loaded: {failure}</li>
        )}
        {merges.length === 0 && (
          <li className="dim">
            When clients have learned without the server, what they come to is merged into the run, and told
            here.
          </li>
        )}
        {merges.toReversed().map((merge) => (
          <li key={merge.round} data-testid="mesh-merge">
            <StateMark mark={["check", "good"]} />
            <Explained why={merge.clients.join(", ")}>{mergeWords(merge)}</Explained>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
