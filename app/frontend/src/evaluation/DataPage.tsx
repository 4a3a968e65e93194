import { Panel } from "../ui/Panel";
import { useParam } from "../ui/useParam";
import styles from "./DataPage.module.css";
import Evaluation, { VIEWS } from "./Evaluation";
import { EvaluationControls } from "./EvaluationControls";

/** What the clients of the shown run have of each class, and how its model does by class. */
export default function DataPage() {
  const [view, setView] = useParam("view", VIEWS);
  return (
    <div className={styles.data}>
      <Panel title="evaluation" area="data">
        <div className={styles.controls}>
          <EvaluationControls view={view} change={setView} />
        </div>
        <Evaluation view={view} />
      </Panel>
    </div>
  );
}
