import type { ReactNode } from "react";
import { NO_DATA } from "../format/format";
import { Explained } from "../ui/Explained";
import list from "../ui/List.module.css";
import { Panel } from "../ui/Panel";
import { StateMark } from "../ui/StateMark";
import { Ago, Value } from "../ui/Value";
import styles from "./KeptOut.module.css";
import type { Blocked } from "./network";

interface KeptOutProps {
  blocked: readonly Blocked[];
  /** How a block is taken back; null: not from this page. */
  undo: (blocked: Blocked) => ReactNode;
}

/** Who is blocked, by whom, and why. */
export function KeptOut({ blocked, undo }: KeptOutProps) {
  return (
    <Panel title="kept out" area="kept" beside={<span className="dim small">{blocked.length}</span>}>
      {blocked.length === 0 ? (
        <p className={list.empty}>Nobody is blocked. Open a peer by its name to block it.</p>
      ) : (
        <ul className={styles.list} aria-label="who is kept out of the mesh" tabIndex={0}>
          {blocked.map((each) => (
            <li key={`${each.by} ${each.key}`} data-testid="mesh-blocked">
              <StateMark mark={["square", "bad"]} />
              <span className={styles.who}>
                <span className="mono">
                  <Explained why={`its key: ${each.key}`}>{each.name}</Explained>
                </span>{" "}
                {each.atServer ? "by the server" : `at ${each.by}`}
                <span className="dim small">
                  {" "}
                  {each.atServer && `by ${each.by}, `}
                  {each.time !== null && (
                    <>
                      <Ago time={each.time} />,{" "}
                    </>
                  )}
                  why: <Value text={each.reason ?? NO_DATA} why="no reason was given" />
                </span>
              </span>
              {undo(each)}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
