import { useMemo } from "react";
import type { Round } from "../api/types";
import { clock, plural } from "../format/format";
import { shownRounds, useStore } from "../store/store";
import { Choice } from "../ui/Choice";
import { Explained } from "../ui/Explained";
import { Panel } from "../ui/Panel";
import { useParam } from "../ui/useParam";
import { VirtualRows } from "../ui/VirtualRows";
import { EXTENTS, HISTORIES } from "./history";
import { Outlets } from "./Outlets";
import { NodeRow } from "./NodeRow";
import { type Axis, bandsOf, roundAtTime } from "./series";
import styles from "./System.module.css";
import { type SystemState, useSystem } from "./useSystem";
import { type TimeCursor, useTimeCursor } from "./useTimeCursor";

/**
 * What each machine was used for, for a quarter of an hour or up to a day: one row for each node, with one time axis.
 * With `client`, that of one.
 */
export default function System({ client }: { client?: string }) {
  const [history, choose] = useParam("history", HISTORIES);
  const { rows, columns, axis, loading, failure } = useSystem(history, client);
  const connected = useStore((state) => state.connection.state === "connected");
  const rounds = useStore(shownRounds);
  const cursor = useTimeCursor(axis);
  const measured = rows.some(({ usages }) => usages.length > 0);
  const moment = momentWords(cursor.at, rounds, connected, axis);
  return (
    <div className={styles.system} data-one={client !== undefined}>
      <Panel
        title="machines"
        titleWidth={64}
        area="system"
        beside={
          measured && (
            <span className="dim small ellipsis" role="status" data-testid="system-moment">
              {moment}
            </span>
          )
        }
        actions={
          <Choice
            label="how much of the past"
            options={HISTORIES}
            chosen={history}
            change={choose}
            words={(each) => EXTENTS[each].words}
            testId="history"
          />
        }
      >
        {measured ? (
          <Machines {...{ rows, columns, axis, rounds, cursor, moment }} />
        ) : (
          <Nothing loading={loading} failure={failure} />
        )}
      </Panel>
      <Outlets />
    </div>
  );
}

interface MachinesProps extends Pick<SystemState, "rows" | "columns" | "axis"> {
  rounds: readonly Round[];
  cursor: TimeCursor;
  /** What the cursor's time is called. */
  moment: string;
}

function Machines({ rows, columns, axis, rounds, cursor, moment }: MachinesProps) {
  const bands = useMemo(() => bandsOf(rounds, axis), [rounds, axis]);
  return (
    <div className={styles.keys} data-gpu={columns.length > 4}>
      <VirtualRows
        role="table"
        label="machines"
        testId="system"
        count={rows.length}
        rowHeight={72}
        keyOf={(index) => rows[index]?.client ?? "server"}
        roving
        render={(index, focus) => {
          const row = rows[index];
          return row && <NodeRow {...{ row, columns, bands, axis, cursor, moment, focus }} />;
        }}
        head={
          <div className={styles.head} role="row">
            <span role="columnheader">node</span>
            {columns.map(({ name, about }) => (
              <span key={name} role="columnheader">
                <Explained why={about}>{name}</Explained>
              </span>
            ))}
          </div>
        }
      />
    </div>
  );
}

/** "12:44:10 in round 3"; without a cursor what the axis is. */
function momentWords(
  at: number | null,
  rounds: readonly Round[],
  connected: boolean,
  { since, span }: Axis,
): string {
  if (at !== null) {
    const round = roundAtTime(rounds, at);
    return `${clock(at)}${round === null ? "" : ` in round ${round}`}`;
  }
  if (!connected) return `as of ${clock(since + span)}: the server does not answer`;
  const past = span < 3600 ? plural(span / 60, "minute") : plural(span / 3600, "hour");
  return `now, and the last ${past} with the rounds behind`;
}

function Nothing({ loading, failure }: Pick<SystemState, "loading" | "failure">) {
  return (
    <p className={styles.nothing} role={failure === null ? "status" : "alert"} data-testid="no-system">
      {failure ??
        (loading
          ? "loading what the machines are used for"
          : "Nothing is measured yet. The server and each client tell every two seconds what they use of their machines; the first values come by themselves.")}
    </p>
  );
}
