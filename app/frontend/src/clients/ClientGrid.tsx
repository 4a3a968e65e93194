import { useElementSize } from "@mantine/hooks";
import { type KeyboardEvent, memo, useDeferredValue, useState } from "react";
import { Link } from "wouter";
import { percent } from "../format/format";
import type { Kept } from "../runs/privacy-words";
import { clientHovered } from "../store/store";
import { StateMark } from "../ui/StateMark";
import { Late, Value } from "../ui/Value";
import { VirtualRows } from "../ui/VirtualRows";
import { NOT_EVALUATED } from "./ClientCells";
import styles from "./ClientGrid.module.css";
import { ClientLink, clientPath } from "./ClientLink";
import type { Listed } from "./order";
import { PinButton } from "./PinButton";
import { type ClientRole, ROLE_MARKS, roleWord } from "./roles";

/** Pixels from one tile to the next. */
const PITCH = 28;
const PADDING = 32;
/** Until the width is known. */
const AT_FIRST = 20;
const NOBODY: readonly Listed[] = [];

interface ClientGridProps {
  listed: readonly Listed[];
  /** Why the run's clients do not tell their own numbers; null: they do. */
  kept: Kept | null;
}

/** Hundreds of clients: a tile for each, whose name stands above when it is pointed at or has the focus. */
export function ClientGrid({ listed, kept }: ClientGridProps) {
  const { ref, width } = useElementSize();
  const [pointed, setPointed] = useState<string | null>(null);
  // The tiles come after what stands beside them, in pieces between which the browser answers.
  const drawn = useDeferredValue(listed, NOBODY);
  const columns = width > PADDING ? Math.floor((width - PADDING) / PITCH) : AT_FIRST;
  const at = Math.max(
    0,
    listed.findIndex(({ client }) => client.id === pointed),
  );
  const named = listed.find(({ client }) => client.id === pointed);

  const move = (event: KeyboardEvent<HTMLDivElement>): void => {
    const steps = STEPS[event.key];
    if (steps === undefined) return;
    event.preventDefault();
    const next = listed[Math.min(listed.length - 1, Math.max(0, at + steps(columns)))];
    if (next === undefined) return;
    setPointed(next.client.id);
    const tiles = event.currentTarget.querySelectorAll<HTMLElement>("[data-client]");
    [...tiles].find((tile) => tile.dataset.client === next.client.id)?.focus();
  };
  return (
    <div ref={ref} className={styles.grid} onKeyDown={move}>
      <p className={styles.named} data-testid="client-named">
        {named === undefined ? (
          <span className="dim">
            whose tile it is stands here when you point at it, or press an arrow key
          </span>
        ) : (
          <>
            <ClientLink id={named.client.id} /> {roleWord(named.role)}
            {named.client.late_since !== null && <Late since={named.client.late_since} />}
            <span className="dim mono">
              <Value text={percent(named.client.accuracy)} why={kept?.own ?? NOT_EVALUATED} />
            </span>
            <PinButton id={named.client.id} />
          </>
        )}
      </p>
      <Tiles listed={drawn} columns={columns} at={at} point={setPointed} />
    </div>
  );
}

interface TilesProps {
  listed: readonly Listed[];
  columns: number;
  /** The place of the tile that the tab key reaches. */
  at: number;
  point: (id: string) => void;
}

const Tiles = memo(function Tiles({ listed, columns, at, point }: TilesProps) {
  return (
    <VirtualRows
      role="list"
      label="clients"
      testId="clients"
      count={Math.ceil(listed.length / columns)}
      rowHeight={PITCH}
      even
      keyOf={(index) => index}
      render={(row) => (
        <div className={styles.tiles}>
          {listed.slice(row * columns, (row + 1) * columns).map(({ client, role }, column) => (
            <Tile
              key={client.id}
              id={client.id}
              role={role}
              reachable={row * columns + column === at}
              point={point}
            />
          ))}
        </div>
      )}
    />
  );
});

interface TileProps {
  id: string;
  role: ClientRole;
  /** By the tab key. */
  reachable: boolean;
  point: (id: string) => void;
}

/** Drawn anew only when it changes: there are hundreds, and several batches of changes a second. */
const Tile = memo(function Tile({ id, role, reachable, point }: TileProps) {
  return (
    <Link
      className={styles.tile ?? ""}
      href={clientPath(id, null)}
      data-role={role}
      data-client={id}
      data-testid="client-tile"
      tabIndex={reachable ? 0 : -1}
      aria-label={`${id}: ${roleWord(role)}`}
      onFocus={() => point(id)}
      onPointerEnter={() => {
        point(id);
        clientHovered(id);
      }}
      onPointerLeave={() => clientHovered(null)}
    >
      <StateMark mark={ROLE_MARKS[role]} />
    </Link>
  );
});

/** By how many tiles a key moves the focus. */
const STEPS: Readonly<Record<string, (columns: number) => number>> = {
  ArrowLeft: () => -1,
  ArrowRight: () => 1,
  ArrowUp: (columns) => -columns,
  ArrowDown: (columns) => columns,
};
