import { StateMark } from "../ui/StateMark";
import { CENTRE } from "./layout";
import styles from "./NetworkGraph.module.css";
import { nodeAt } from "./standing";

export function ServerNode({ answers }: { answers: boolean }) {
  return (
    <span className={styles.node} style={nodeAt(CENTRE)} data-testid="network-server" data-server={answers}>
      <StateMark mark={answers ? ["square", "good"] : ["cross", "bad"]} />
      <span className={styles.name}>{answers ? "server" : "server, away"}</span>
    </span>
  );
}
