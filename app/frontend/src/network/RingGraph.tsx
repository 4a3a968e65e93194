import { useMediaQuery } from "@mantine/hooks";
import { useMemo } from "react";
import { StateMark } from "../ui/StateMark";
import { bowPath, CENTRE, labelledSpokes, linkPath, linkWidth, nodeLabel, ringOf, spokesOf } from "./layout";
import { LinkLabel } from "./LinkLabel";
import { PEER_MARKS } from "./marks";
import type { Network } from "./network";
import styles from "./NetworkGraph.module.css";
import { ServerNode } from "./ServerNode";
import { nodeAt } from "./standing";
import { STATE_TITLES } from "./words";

/** Beyond this number of links their latency is in their title alone. */
const MOST_LABELS = 12;

interface RingGraphProps {
  network: Network;
  server: boolean | null;
  picked: string | null;
  pick: (id: string | null) => void;
}

/** All nodes on a ring around the server. */
export function RingGraph({ network, server, picked, pick }: RingGraphProps) {
  const { nodes, links, averagings } = network;
  const narrow = useMediaQuery("(width < 640px)", false);
  const places = useMemo(() => ringOf(network), [network]);
  const names = useMemo(() => new Map(nodes.map(({ id, name }) => [id, name])), [nodes]);
  const drawn = links.flatMap((link) => {
    const [from, to] = [places.get(link.one), places.get(link.other)];
    if (from === undefined || to === undefined) return [];
    return [{ ...link, ...linkPath(from, to), picked: link.one === picked || link.other === picked }];
  });
  const spokes = server === true ? spokesOf(nodes, places) : [];
  return (
    <>
      <svg className={styles.lines} viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
        {spokes.map(({ node, path }) => (
          <path
            key={node.id}
            className={styles.spoke}
            style={{ strokeWidth: linkWidth(node.server.traffic) }}
            d={path}
            data-picked={node.id === picked}
          />
        ))}
        {drawn.map(({ one, other, path, picked, traffic }) => (
          <path
            key={`${one} ${other}`}
            className={styles.link}
            style={{ strokeWidth: linkWidth(traffic) }}
            d={path}
            data-picked={picked}
          />
        ))}
        {averagings.map(({ one, other }) => {
          const [from, to] = [places.get(one), places.get(other)];
          if (from === undefined || to === undefined) return null;
          return <path key={`${one} ${other}`} className={styles.averaging} d={bowPath(from, to)} />;
        })}
      </svg>
      {server !== null && <ServerNode answers={server} />}
      {labelledSpokes(spokes, links.length, picked).map(({ node, middle }) => (
        <LinkLabel
          key={node.id}
          {...node.server}
          ends={["server", node.name]}
          at={middle}
          testId="network-server-link"
          picked={node.id === picked}
        />
      ))}
      {drawn
        .filter((link) => link.picked || links.length <= MOST_LABELS)
        .map(({ one, other, middle, latency, traffic }) => (
          <LinkLabel
            key={`${one} ${other}`}
            ends={[names.get(one) ?? "", names.get(other) ?? ""]}
            at={middle}
            latency={latency}
            traffic={traffic}
            testId="network-link"
          />
        ))}
      {nodes.map(({ id, name, state, self }) => (
        <span
          key={id}
          className={styles.node}
          style={nodeAt(places.get(id) ?? CENTRE)}
          data-testid="network-node"
          data-peer={name}
          data-state={state}
          data-self={self}
          data-many={nodes.length > 12}
          title={`${name}: ${state}, ${STATE_TITLES[state]}`}
          onPointerEnter={() => pick(id)}
          onPointerLeave={() => pick(null)}
        >
          <StateMark mark={PEER_MARKS[state]} />
          <NodeName label={nodeLabel(name, nodes.length, narrow)} />
        </span>
      ))}
    </>
  );
}

function NodeName({ label }: { label: string | null }) {
  return label === null ? null : <span className={styles.name}>{label}</span>;
}
