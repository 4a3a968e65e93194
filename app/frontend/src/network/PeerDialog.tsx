import { Modal } from "@mantine/core";
import type { ReactNode } from "react";
import { latency, NO_DATA } from "../format/format";
import dialog from "../ui/Dialog.module.css";
import { StateMark } from "../ui/StateMark";
import { Value } from "../ui/Value";
import { PEER_MARKS } from "./marks";
import type { NetworkNode } from "./network";
import styles from "./PeerDialog.module.css";
import { refusalLines } from "./refused";
import { distanceWords, hopsWords, neighbourWords, NOT_MEASURED, rate, STATE_TITLES } from "./words";

interface PeerDialogProps {
  node: NetworkNode;
  close: () => void;
  /** Further facts: pairs of dt and dd. */
  facts?: ReactNode;
  /** What can be done about it. */
  children: ReactNode;
}

/** One node of the mesh: who it is by its key, how far away, and what can be done about it. */
export function PeerDialog({ node, close, facts, children }: PeerDialogProps) {
  const { id, name, state, hops, neighbours, averaged, server } = node;
  const refused = refusalLines(node.refused);
  return (
    <Modal
      opened
      onClose={close}
      title={name}
      classNames={{ title: dialog.title ?? "" }}
      closeButtonProps={{ "aria-label": "Close" }}
      centered
    >
      <dl className={styles.facts} data-testid="peer-facts">
        <dt className="dim">key</dt>
        <dd className={`${styles.key} mono`}>{id}</dd>
        <dt className="dim">state</dt>
        <dd className={styles.state}>
          <StateMark mark={PEER_MARKS[state]} /> {state}: {STATE_TITLES[state]}
        </dd>
        {facts}
        <dt className="dim">distance</dt>
        <dd>
          <Value
            text={hops === null ? NO_DATA : `${hopsWords(hops)} ${hops[1] === 1 ? "link" : "links"}`}
            why="there is no way to it"
          />
          , <Value text={latency(node.latency)} why={NOT_MEASURED} /> there and back
        </dd>
        <dt className="dim">links</dt>
        <dd>
          <Value text={neighbours.length === 0 ? NO_DATA : neighbourWords(neighbours)} why="it has none" />
          {node.traffic !== null && `; ${rate(node.traffic)} in all`}
        </dd>
        <dt className="dim">to the server</dt>
        <dd>
          <Value text={distanceWords(server)} why={server.why} />
        </dd>
        <dt className="dim">refused</dt>
        <dd data-testid="peer-refusals">
          {refused.length === 0 ? (
            "nothing, of it or by it"
          ) : (
            <ul className={styles.refused}>
              {refused.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          )}
        </dd>
        <dt className="dim">averaged with</dt>
        <dd>
          <Value
            text={
              averaged === null ? NO_DATA : `${averaged.names.join(", ")}, in mesh round ${averaged.round}`
            }
            why="it has not averaged with others, or has not told"
          />
        </dd>
      </dl>
      <div className={dialog.buttons}>{children}</div>
    </Modal>
  );
}
