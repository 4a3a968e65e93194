/** What a client tells its own page (`client/offline/status.py`), and how it is asked. */

export interface ClientStatus {
  version: string;
  client: string;
  /** Unix seconds. */
  time: number;
  /** null: it needs none (`--mesh-only`). */
  server: ServerStanding | null;
  learning: boolean;
  run: { id: string; num_rounds: number; base_round: number | null } | null;
  mesh: MeshStatus;
  rounds: readonly GoneRound[];
  blocked: readonly { key: string; name: string }[];
  /** What its node has not taken, since it was started; `key`: of the member by whom it came, null: of nobody who is one. */
  refused: readonly { key: string | null; reason: string; words: string; count: number }[];
  /** Of each link of its own, bytes a second. */
  traffic: readonly { key: string; sent_per_s: number; received_per_s: number }[];
  /** Whether the server vouches for it in the mesh; null: it has sent no roster. */
  vouched: boolean | null;
  /** The newest invitation that was made here, and who has come by it. */
  invitation: { expires: number; paired: { name: string; code: string } | null } | null;
  /** The newest invitation of another node that it was given here; neither: it is on its way. */
  joining: { paired: { name: string; code: string } | null; problem: string | null } | null;
  folders: readonly FolderStatus[];
}

interface ServerStanding {
  address: string;
  connected: boolean;
  /** Unix seconds. */
  since: number;
  /** What the client finds of its link to it. */
  link: OwnLink;
}

/** Seconds there and back; bytes of frames a second. Null: not measured yet, or there is no link. */
export interface OwnLink {
  latency_s: number | null;
  sent_per_s: number | null;
  received_per_s: number | null;
}

/** A shared folder. Of the lists there is the beginning. */
export interface FolderStatus {
  id: string;
  path: string;
  receive_only: boolean;
  in_sync: number;
  files: number;
  bytes: number;
  conflicts: readonly string[];
  conflict_count: number;
  not_in_sync: readonly {
    name: string;
    condition: "coming" | "waiting" | "blocked" | "not_shared" | "changed_here";
    chunks: number;
    of_chunks: number;
    why: string;
  }[];
  /** Why all of it is not shared; empty: it is. */
  problem: string;
  scans_only: string;
  refused: number;
  peers: number;
  alike: number;
}

interface MeshStatus {
  key: string;
  name: string;
  peers: readonly PeerStatus[];
  links: readonly { one: string; other: string; latency_s: number | null }[];
}

interface PeerStatus {
  key: string;
  name: string;
  /** Why it is trusted: people have paired it, or the server vouches for it. */
  origin: "paired" | "roster";
  state: "online" | "rejoined" | "stale" | "offline";
  hops: number | null;
  latency_s: number | null;
  /** Seconds since something of it came; null: nothing has. */
  age_s: number | null;
}

interface GoneRound {
  run_id: string;
  base_round: number;
  number: number;
  time: number;
  loss: number | null;
  accuracy: number | null;
  divergence: number | null;
  averaged_with: readonly string[];
}

/** Why there is no status, in words for whoever reads the page. */
export class NoStatus extends Error {}

export async function fetchClientStatus(): Promise<ClientStatus> {
  const response = await fetch("/api/status").catch(() => {
    throw new NoStatus(
      "The client does not answer. If it has ended, start it again and open its new address.",
    );
  });
  if (response.status === 401) throw new NoStatus((await response.text()).trim());
  if (!response.ok) throw new NoStatus(`The client answered ${response.status}.`);
  return (await response.json()) as ClientStatus;
}
