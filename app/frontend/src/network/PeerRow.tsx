import { ClientName } from "../clients/ClientName";
import { latency, NO_DATA } from "../format/format";
import { Explained } from "../ui/Explained";
import { StateMark } from "../ui/StateMark";
import { Ago, Value } from "../ui/Value";
import { PEER_MARKS } from "./marks";
import type { NetworkNode } from "./network";
import styles from "./PeerTable.module.css";
import { refusalLines, refusedWords } from "./refused";
import { hopsWords, neighbourWords, NOT_MEASURED, rate, STATE_TITLES } from "./words";

const NOT_TOLD = "its clients tell it every two seconds";
const NO_WAY = "there is no way to it";
const NOTHING_REFUSED = "nothing of it was refused in the mesh, and it has told of nothing that it refused";

interface PeerRowProps {
  node: NetworkNode;
  picked: boolean;
  pick: (id: string | null) => void;
  /** Opens what there is on a node. */
  open: (id: string) => void;
}

/** A node, of which all can be reached by the keyboard. */
export function PeerRow({ node, picked, pick, open }: PeerRowProps) {
  const { id, name, state, self, hops, neighbours, averaged, server } = node;
  return (
    <div
      className={styles.row}
      role="row"
      data-testid="peer-row"
      data-peer={name}
      data-state={state}
      data-picked={picked}
      data-self={self}
      onPointerEnter={() => pick(id)}
      onPointerLeave={() => pick(null)}
    >
      <span role="cell" className={styles.peer}>
        <button
          type="button"
          className={styles.open}
          onClick={() => open(id)}
          onFocus={() => pick(id)}
          onBlur={() => pick(null)}
          aria-haspopup="dialog"
        >
          <ClientName id={name} />
          {self && <span className="hidden-visually">this client</span>}
        </button>
      </span>
      <span role="cell" className={styles.state} data-testid="peer-state">
        <StateMark mark={PEER_MARKS[state]} />
        <Explained why={STATE_TITLES[state]} look="plain">
          {state}
        </Explained>
      </span>
      <span role="cell" className={styles.number} data-label="hops">
        <Value text={hopsWords(hops)} why={state === "connected" ? STATE_TITLES.connected : NO_WAY} />
      </span>
      <span role="cell" className={styles.number} data-label="links">
        <Links neighbours={neighbours} />
      </span>
      <span role="cell" className={styles.pair} data-label="mesh">
        <span>
          <Value
            text={latency(node.latency)}
            why={self ? "it is this client" : hops === null ? NO_WAY : NOT_MEASURED}
          />
        </span>
        <span>
          <Value text={rate(node.traffic)} why={neighbours.length === 0 ? "it has no link" : NOT_TOLD} />
        </span>
      </span>
      <span role="cell" className={styles.pair} data-label="server" data-testid="peer-server">
        <span>
          <Value text={latency(server.latency)} why={server.why} />
        </span>
        <span>
          <Value text={rate(server.traffic)} why={server.why} />
        </span>
      </span>
      <span role="cell" className={styles.refused} data-label="refused" data-testid="peer-refused">
        <RefusedCount refused={node.refused} />
      </span>
      <span role="cell" className="dim" data-label="heard of">
        <Heard heard={node.heard} />
      </span>
      <span role="cell" className={styles.averaged} data-label="averaged with" data-testid="peer-averaged">
        {averaged === null ? (
          <Value text={NO_DATA} why="it has not averaged with others, or has not told" />
        ) : (
          <>
            <Explained
              why={`in its mesh round ${averaged.round}: ${averaged.names.join(", ")}`}
              label={`with ${averaged.names.join(", ")}`}
              look="plain"
            >
              {averaged.names.join(", ")}
            </Explained>{" "}
            <Ago time={averaged.time} />
          </>
        )}
      </span>
    </div>
  );
}

function RefusedCount({ refused }: Pick<NetworkNode, "refused">) {
  const words = refusedWords(refused);
  if (words === NO_DATA) return <Value text={NO_DATA} why={NOTHING_REFUSED} />;
  return <Explained why={refusalLines(refused).join("\n")}>{words}</Explained>;
}

function Heard({ heard }: { heard: NetworkNode["heard"] }) {
  if (heard === "now") return <>now</>;
  if (heard === null) return <Value text={NO_DATA} why="nothing has come from it" />;
  return <Ago time={heard} />;
}

function Links({ neighbours }: Pick<NetworkNode, "neighbours">) {
  if (neighbours.length === 0) return <>0</>;
  const words = neighbourWords(neighbours);
  return (
    <Explained why={words} look="plain">
      {neighbours.length}
    </Explained>
  );
}
