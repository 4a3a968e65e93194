import { Button } from "@mantine/core";
import { useMemo, useState } from "react";
import type { Client } from "../api/types";
import { useMay } from "../login/who";
import { shownRun, useStore } from "../store/store";
import { Explained } from "../ui/Explained";
import { networkOf } from "./from-clients";
import { AddToMesh } from "./AddToMesh";
import { BlockQuestion, UnblockPeer } from "./BlockPeer";
import { foldersOf } from "./folders";
import { FolderTable } from "./FolderTable";
import { KeptOut } from "./KeptOut";
import { MeshCurves } from "./MeshCurves";
import { MeshNews } from "./MeshNews";
import type { NetworkNode } from "./network";
import styles from "./Network.module.css";
import { NetworkGraph } from "./NetworkGraph";
import { NoMesh } from "./NoMesh";
import { PeerDialog } from "./PeerDialog";
import { PeerTable } from "./PeerTable";
import { useMeshNodes } from "./useMeshNodes";
import { useOpenedPeer } from "./useOpenedPeer";

/** Server and clients, and the mesh as its clients report it: who reaches whom, and what they have learned alone. */
export default function Network() {
  const clients = useStore((state) => state.server.clients);
  const connected = useStore((state) => state.connection.state === "connected");
  const loaded = useStore((state) => state.server.instance !== null);
  const { nodes, blocks, known, failure } = useMeshNodes();
  const links = useStore((state) => state.links);
  const network = useMemo(() => networkOf(clients, nodes, blocks, links), [clients, nodes, blocks, links]);
  const folders = useMemo(() => foldersOf(nodes), [nodes]);
  const [picked, pick] = useState<string | null>(null);
  const [opened, open] = useOpenedPeer();
  const [asked, ask] = useState<NetworkNode | null>(null);
  const mayBlock = useMay("admin");
  const run = useStore(shownRun);
  const hasMesh = clients.some(({ mesh }) => mesh !== null);
  if (!loaded || (hasMesh && !known && failure === null)) return null;
  if (network.nodes.length === 0) {
    return (
      <div className={styles.alone}>
        <NoMesh />
      </div>
    );
  }
  const node = network.nodes.find(({ name }) => name === opened);
  return (
    <div className={hasMesh ? styles.network : styles.star} data-testid="network">
      <NetworkGraph network={network} server={connected} picked={picked} pick={pick} />
      <PeerTable
        nodes={network.nodes}
        picked={picked}
        pick={pick}
        open={(id) => open(network.nodes.find((each) => each.id === id)?.name ?? null)}
        actions={hasMesh && <AddToMesh />}
      />
      {hasMesh ? (
        <>
          <MeshCurves nodes={nodes} />
          <MeshNews merges={run?.mesh?.merges ?? []} failure={failure} />
          <FolderTable rows={folders} />
          <KeptOut
            blocked={network.blocked}
            undo={(blocked) =>
              blocked.atServer ? (
                mayBlock && <UnblockPeer blocked={blocked} />
              ) : (
                <Explained why="Whom people at a client have blocked, they alone let in again.">
                  <span className="dim small">theirs to take back</span>
                </Explained>
              )
            }
          />
        </>
      ) : (
        <NoMesh />
      )}
      {node !== undefined && (
        <PeerDialog node={node} close={() => open(null)}>
          {mayBlock && isMember(node, clients) && !blocks.some(({ key }) => key === node.id) && (
            <Button
              color="bad"
              onClick={() => {
                open(null);
                ask(node);
              }}
              data-testid="mesh-block"
            >
              Block in the mesh…
            </Button>
          )}
        </PeerDialog>
      )}
      {asked !== null && <BlockQuestion node={asked} close={() => ask(null)} />}
    </div>
  );
}

/** Whether the server may vouch for it in the mesh. */
function isMember({ id }: NetworkNode, clients: readonly Client[]): boolean {
  return clients.some(({ key, mesh }) => key === id && mesh !== null);
}
