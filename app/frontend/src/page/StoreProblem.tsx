import { useStore } from "../store/store";
import { StateMark } from "../ui/StateMark";
import styles from "./StoreProblem.module.css";

/** What is on the page and cannot be kept: over everything else, until it can. */
export function StoreProblem() {
  const problem = useStore((state) => state.server.status?.store_problem ?? null);
  if (problem === null) return null;
  return (
    <p className={styles.problem} role="alert" data-testid="store-problem">
      <StateMark mark={["triangle", "warn"]} />
      <span>
        <strong>Not saved:</strong> {problem}
      </span>
    </p>
  );
}
