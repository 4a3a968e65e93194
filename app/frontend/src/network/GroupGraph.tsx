import { plural } from "../format/format";
import { StateMark } from "../ui/StateMark";
import { CENTRE, groupsOf, linkPath, linkWidth, type Place, ringPlaces, spokePath } from "./layout";
import { PEER_MARKS } from "./marks";
import type { Network } from "./network";
import styles from "./NetworkGraph.module.css";
import { ServerNode } from "./ServerNode";
import { nodeAt, standing } from "./standing";
import { rate, STATE_TITLES } from "./words";

/** Many nodes, as one for each state, with what goes between them, among them, and between them and the server. */
export function GroupGraph({ network, server }: { network: Network; server: boolean | null }) {
  const { groups, links } = groupsOf(network);
  const places = ringPlaces([groups.map(({ state }) => state)]);
  const drawn = links.flatMap((link) => {
    const [from, to] = [places.get(link.one), places.get(link.other)];
    return from === undefined || to === undefined ? [] : [{ ...link, ...linkPath(from, to) }];
  });
  const spokes = groups.flatMap(({ state, toServer }) => {
    const place = places.get(state);
    const isDrawn = place !== undefined && toServer.links > 0 && server === true;
    return isDrawn ? [{ state, ...toServer, ...spokePath(place) }] : [];
  });
  return (
    <>
      <svg className={styles.lines} viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
        {spokes.map(({ state, path, traffic }) => (
          <path key={state} className={styles.spoke} style={{ strokeWidth: linkWidth(traffic) }} d={path} />
        ))}
        {drawn.map(({ one, other, path, traffic }) => (
          <path
            key={`${one} ${other}`}
            className={styles.link}
            style={{ strokeWidth: linkWidth(traffic) }}
            d={path}
          />
        ))}
      </svg>
      {server !== null && <ServerNode answers={server} />}
      {spokes.map(({ state, ...spoke }) => (
        <GroupLabel key={state} {...spoke} testId="network-group-server-link" />
      ))}
      {drawn.map(({ one, other, ...link }) => (
        <GroupLabel key={`${one} ${other}`} {...link} testId="network-group-link" />
      ))}
      {groups.map(({ state, size, within }) => (
        <span
          key={state}
          className={styles.node}
          style={nodeAt(places.get(state) ?? CENTRE)}
          data-testid="network-group"
          data-state={state}
          data-size={size}
          title={STATE_TITLES[state]}
        >
          <StateMark mark={PEER_MARKS[state]} />
          <span className={styles.name}>
            {size} {state}
            <Rate of={within.traffic} words=" among them" />
          </span>
        </span>
      ))}
    </>
  );
}

interface GroupLabelProps {
  middle: Place;
  links: number;
  traffic: number | null;
  testId: string;
}

function GroupLabel({ middle, links, traffic, testId }: GroupLabelProps) {
  return (
    <span className={styles.latency} style={standing(middle)} data-testid={testId}>
      {plural(links, "link")}
      <Rate of={traffic} />
    </span>
  );
}

function Rate({ of, words = "" }: { of: number | null; words?: string }) {
  return of === null ? null : (
    <span className={styles.rate}>
      {rate(of)}
      {words}
    </span>
  );
}
