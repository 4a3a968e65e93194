import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { axisEnd } from "../charts/series";
import { assignColours } from "../clients/colours";
import { accuracyLines, DIVERGENCE, divergenceLines, lastRound } from "../network/mesh-lines";
import { MeshChart } from "../network/MeshChart";
import { FolderTable } from "../network/FolderTable";
import { KeptOut } from "../network/KeptOut";
import { NetworkGraph } from "../network/NetworkGraph";
import { PeerDialog } from "../network/PeerDialog";
import { PeerTable } from "../network/PeerTable";
import { followClient } from "../store/store";
import { FieldHeader } from "./FieldHeader";
import styles from "./FieldPage.module.css";
import { folderRow } from "./folders";
import { networkOf } from "./from-status";
import { InviteNode } from "./InviteNode";
import { JoinNode } from "./JoinNode";
import { ActionButton, ActionQuestion, type Wish } from "./PeerActions";
import { Situation } from "./Situation";
import { type ClientStatus, fetchClientStatus } from "./status";

const EVERY_MS = 1000;
const ACCURACY = { kind: "accuracy" } as const;

/** What a client knows, for whoever stands beside it: also while there is no server, and no network but the mesh. */
export function FieldPage() {
  const { data, error } = useQuery({
    queryKey: ["status"],
    queryFn: fetchClientStatus,
    refetchInterval: EVERY_MS,
    refetchIntervalInBackground: true,
    placeholderData: keepPreviousData,
  });
  const names = useMemo(() => data && [data.client, ...data.mesh.peers.map(({ name }) => name)], [data]);
  useEffect(() => {
    if (data !== undefined && names !== undefined) followClient(data.time, assignColours({}, names));
  }, [data, names]);
  return (
    <div className={styles.screen}>
      <FieldHeader status={data ?? null} answers={error === null && data !== undefined} />
      {error !== null && (
        <p className={styles.problem} role="alert">
          {error.message}
          {data !== undefined && " What is shown is from before."}
        </p>
      )}
      {data !== undefined && <Known status={data} />}
    </div>
  );
}

function Known({ status }: { status: ClientStatus }) {
  const network = useMemo(() => networkOf(status), [status]);
  const [picked, pick] = useState<string | null>(null);
  const [opened, open] = useState<string | null>(null);
  const [wish, ask] = useState<Wish | null>(null);
  const askInstead = (about: Wish): void => {
    open(null);
    ask(about);
  };
  const folders = useMemo(() => status.folders.map(folderRow), [status.folders]);
  const { accuracy, divergence, end } = useMemo(() => curvesOf(status), [status]);
  const { run, client, mesh } = status;
  const node = network.nodes.find(({ id }) => id === opened);
  const peer = mesh.peers.find(({ key }) => key === opened);
  const common = {
    colours: assignColours({}, [client]),
    run: run?.id ?? null,
    end,
    missing: "it has not gone a mesh round of this run",
  };
  return (
    <main className={styles.page}>
      <Situation status={status} />
      <NetworkGraph network={network} server={status.server?.connected ?? null} picked={picked} pick={pick} />
      <PeerTable
        nodes={network.nodes}
        picked={picked}
        pick={pick}
        open={open}
        actions={
          <>
            <InviteNode invitation={status.invitation} /> <JoinNode joining={status.joining} />
          </>
        }
      />
      <MeshChart
        {...common}
        metric={ACCURACY}
        area="accuracy"
        lines={accuracy}
        newest={accuracy[0]?.points.at(-1)?.[1]}
        whose="on its own data, after averaging"
      />
      <MeshChart
        {...common}
        metric={DIVERGENCE}
        title="divergence"
        area="divergence"
        lines={divergence}
        newest={divergence[0]?.points.at(-1)?.[1]}
        whose="of the farthest peer, in % of its own model's norm"
      />
      <FolderTable rows={folders} />
      <KeptOut
        blocked={network.blocked}
        undo={(each) => <ActionButton wish={{ action: "unblock", peer: each }} ask={ask} small />}
      />
      {node !== undefined && (
        <PeerDialog node={node} close={() => open(null)} facts={peer && <Trusted origin={peer.origin} />}>
          {peer?.origin === "paired" && <ActionButton wish={{ action: "unpair", peer }} ask={askInstead} />}
          {peer !== undefined && <ActionButton wish={{ action: "block", peer }} ask={askInstead} />}
        </PeerDialog>
      )}
      {wish !== null && <ActionQuestion wish={wish} close={() => ask(null)} />}
    </main>
  );
}

function Trusted({ origin }: Pick<ClientStatus["mesh"]["peers"][number], "origin">) {
  return (
    <>
      <dt className="dim">trusted</dt>
      <dd>{origin === "paired" ? "people have paired it" : "by the server's word"}</dd>
    </>
  );
}

/** Without the server's line, of which a client knows nothing, and without the largest of one. */
function curvesOf({ client, rounds, run }: ClientStatus) {
  const told = new Map([[client, rounds.filter(({ run_id }) => run_id === run?.id)]]);
  const accuracy = accuracyLines(told, []).filter(({ main }) => !main);
  const divergence = divergenceLines(told).filter(({ main }) => !main);
  const newest = Math.max(lastRound(accuracy), lastRound(divergence));
  return { accuracy, divergence, end: axisEnd(run?.num_rounds ?? 10, newest) };
}
