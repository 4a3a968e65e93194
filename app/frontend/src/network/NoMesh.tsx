import { useStore } from "../store/store";
import { Panel } from "../ui/Panel";
import { JoinMesh } from "./JoinMesh";
import styles from "./Network.module.css";

/** No client takes part in a mesh: what one is, and how it begins. */
export function NoMesh() {
  const foreign = useStore((state) => state.server.status?.app != null);
  return (
    <Panel title="mesh" area="about">
      <div className={styles.empty} data-testid="no-mesh">
        {foreign ? (
          <p>Clients with another Flower app than the built-in one do not take part in a mesh.</p>
        ) : (
          <Explained />
        )}
      </div>
    </Panel>
  );
}

function Explained() {
  return (
    <>
      <p>
        No client takes part in the mesh. Clients in the mesh are connected to each other as well as to this
        server: when it is away for longer than 20 seconds they go on learning, each with the others, and when
        it is back, what they have learned is merged into the run.
      </p>
      <p>Start each client with --enable-mesh:</p>
      <JoinMesh />
      <p className="dim">
        Each further client needs an id of its own. Clients of this server trust each other by its word, where
        their sites allow it; others are paired by an invitation.
      </p>
    </>
  );
}
