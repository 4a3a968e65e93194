import type { ReactNode } from "react";
import list from "../ui/List.module.css";
import { Panel } from "../ui/Panel";
import { VirtualRows } from "../ui/VirtualRows";
import type { NetworkNode } from "./network";
import { PeerRow } from "./PeerRow";
import styles from "./PeerTable.module.css";

const COLUMNS = [
  "peer",
  "state",
  "hops",
  "links",
  "mesh",
  "server",
  "refused",
  "heard of",
  "averaged with",
] as const;

interface PeerTableProps {
  nodes: readonly NetworkNode[];
  picked: string | null;
  pick: (id: string | null) => void;
  /** Opens what there is on a node. */
  open: (id: string) => void;
  /** How one more comes in. */
  actions?: ReactNode;
}

/** What the graph shows, for the keyboard and the ear, and for more nodes than a graph can hold. */
export function PeerTable({ nodes, picked, pick, open, actions }: PeerTableProps) {
  return (
    <Panel
      title="peers"
      area="peers"
      beside={<span className="dim small">{nodes.length}</span>}
      actions={actions}
    >
      <VirtualRows
        role="table"
        label="nodes of the mesh"
        testId="peer-table"
        count={nodes.length}
        rowHeight={32}
        keyOf={(index) => nodes[index]?.id ?? index}
        render={(index) => {
          const node = nodes[index];
          return node && <PeerRow node={node} picked={node.id === picked} pick={pick} open={open} />;
        }}
        head={
          <div className={`${list.head} ${styles.head}`} role="row">
            {COLUMNS.map((column) => (
              <span key={column} role="columnheader" data-label={column}>
                {column}
              </span>
            ))}
          </div>
        }
      />
    </Panel>
  );
}
