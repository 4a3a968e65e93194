import { Explained } from "../ui/Explained";
import { Panel } from "../ui/Panel";
import { StateMark } from "../ui/StateMark";
import { Ago } from "../ui/Value";
import { GroupGraph } from "./GroupGraph";
import { GROUPED_FROM } from "./layout";
import type { Network } from "./network";
import styles from "./NetworkGraph.module.css";
import { RingGraph } from "./RingGraph";
import { graphWords, networkWords, partitionWords } from "./words";

interface NetworkGraphProps {
  network: Network;
  /** Whether the server answers whoever draws this; null: there is none. */
  server: boolean | null;
  /** The node whose links are emphasised. */
  picked: string | null;
  pick: (id: string | null) => void;
}

/**
 * The server as a star, the mesh as links between peers, the wider, the more goes over them. The table beside it says
 * the same in words.
 */
export function NetworkGraph({ network, server, picked, pick }: NetworkGraphProps) {
  const parted = partitionWords(network);
  const isGrouped = network.nodes.length >= GROUPED_FROM;
  return (
    <Panel
      title="network"
      area="graph"
      beside={
        <span className="dim small ellipsis" data-testid="network-words">
          {networkWords(network)}
        </span>
      }
    >
      <p className={styles.parted} role="status" data-testid="partition">
        {parted !== null && (
          <>
            <StateMark mark={["triangle", "warn"]} />
            <Explained why={parted} look="wide">
              {parted}
            </Explained>
          </>
        )}
      </p>
      <div className={styles.plot} role="img" aria-label={graphWords(network)} data-testid="network-graph">
        {isGrouped ? (
          <GroupGraph network={network} server={server} />
        ) : (
          <RingGraph network={network} server={server} picked={picked} pick={pick} />
        )}
      </div>
      <p className={styles.legend} data-testid="network-legend">
        {network.averagedAt !== null && !isGrouped && (
          <>
            <svg viewBox="0 0 24 4" width="24" height="4" aria-hidden="true">
              <path className={styles.averaging} d="M0 2 H24" />
            </svg>
            averaged with each other in the newest mesh round, <Ago time={network.averagedAt} />
          </>
        )}
      </p>
    </Panel>
  );
}
