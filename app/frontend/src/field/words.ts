/** What a client does, in words. Pure functions. */
import { plural, span } from "../format/format";
import type { PeerAction } from "./actions";
import type { ClientStatus, OwnLink } from "./status";

/** "The server is away since 41 s. Learning on with the others: 6 mesh rounds since round 3 of run 7f3a9c01." */
export function situationWords(status: ClientStatus): string {
  return [serverWords(status), learningWords(status)].filter((words) => words !== null).join(" ");
}

function serverWords({ server, time }: ClientStatus): string | null {
  if (server === null) return null;
  const lasted = span(time - server.since);
  return server.connected
    ? `Connected to the server at ${server.address} for ${lasted}.`
    : `No connection to the server at ${server.address} for ${lasted}.`;
}

function learningWords({ learning, run, rounds, server }: ClientStatus): string | null {
  if (run === null) {
    if (learning) return null;
    return server === null
      ? "No run yet. A member proposes one: python -m mesh run."
      : "It has no place in a run.";
  }
  if (server === null) return meshOnlyWords({ learning, run, rounds });
  const newest = rounds.findLast(({ run_id }) => run_id === run.id);
  const done =
    newest === undefined ? null : `${plural(newest.number, "mesh round")} since round ${newest.base_round}`;
  if (learning) {
    return `Learning on run ${run.id} with the others: ${done ?? "the first mesh round is going on"}.`;
  }
  return `In run ${run.id}${done === null ? "" : `; without the server it has gone ${done}`}.`;
}

/** Why something of the link to the server is not known. */
export function unmeasuredWords({ sent_per_s }: OwnLink): string {
  return sent_per_s === null
    ? "not measured yet: this client measures it every two seconds"
    : "the server has not answered a heartbeat yet; one of an older FedLoom never does";
}

/** That the server keeps this client out of the mesh; null: it does not, or is not known to. */
export function vouchedWords({ vouched }: Pick<ClientStatus, "vouched">): string | null {
  return vouched === false
    ? "The server does not vouch for this client in the mesh: only nodes that people have paired with it are connected with it."
    : null;
}

interface ActionWords {
  title: (name: string) => string;
  consequence: (name: string) => string;
  confirm: string;
  busy: string;
}

/** What is asked before something is done about another node. */
export const ACTIONS: Record<PeerAction, ActionWords> = {
  block: {
    title: (name) => `Block ${name}?`,
    consequence: (name) =>
      `This client has nothing to do with ${name} any more, whoever vouches for it: the link ends at once, and ` +
      "neither models nor files are taken from it or given to it. Others are not told, and decide for themselves.",
    confirm: "Block",
    busy: "Blocking…",
  },
  unblock: {
    title: (name) => `Unblock ${name}?`,
    consequence: (name) =>
      `If the server vouches for ${name}, this client connects with it again, shares its folders with it, and ` +
      "averages with it. If not, it has to be paired first.",
    confirm: "Unblock",
    busy: "Unblocking…",
  },
  unpair: {
    title: (name) => `Unpair ${name}?`,
    consequence: (name) =>
      `That people have paired ${name} is taken back. It stays connected only if the server vouches for it; to be ` +
      "paired again, it needs a new invitation.",
    confirm: "Unpair",
    busy: "Unpairing…",
  },
};

/** "Run 0123456789abcdef is over: 16 mesh rounds. The model is kept on this machine." */
function meshOnlyWords({
  learning,
  run,
  rounds,
}: {
  learning: boolean;
  run: { id: string };
  rounds: ClientStatus["rounds"];
}): string {
  const newest = rounds.findLast(({ run_id }) => run_id === run.id);
  const done =
    newest === undefined ? "the first mesh round is going on" : plural(newest.number, "mesh round");
  return learning
    ? `Learning on run ${run.id} with the others: ${done}.`
    : `Run ${run.id} is over: ${newest === undefined ? "no mesh round" : done}. The model is kept on this machine.`;
}
