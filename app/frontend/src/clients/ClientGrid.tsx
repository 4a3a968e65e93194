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
import { PinButton } from "./PinButton";
import { type ClientRole, ROLE_MARKS, roleWord } from "./roles";

/** Pixels from one tile to the next. */
const PITCH = 28;
const PADDING = 32;
/** Until the width is known. */
const AT_FIRST = 20;
const NOBODY: readonly ClientTile[] = [];

export interface ClientTile {
  id: string;
  role: ClientRole;
  /** Since when it is overdue, in Unix seconds; null: it is not. */
  lateSince: number | null;
  /** On its own data; null: not known. */
  accuracy: number | null;
}

interface ClientGridProps {
  tiles: readonly ClientTile[];
  /** Why the run's clients do not tell their own numbers; null: they do. */
  kept: Kept | null;
}

/** Hundreds of clients: a tile for each, whose name stands above when it is pointed at or has the focus. */
export function ClientGrid({ tiles, kept }: ClientGridProps) {
  const { ref, width } = useElementSize();
  const [pointed, setPointed] = useState<string | null>(null);
  // The tiles come after what stands beside them, in pieces between which the browser answers.
  const drawn = useDeferredValue(tiles, NOBODY);
  const columns = width > PADDING ? Math.floor((width - PADDING) / PITCH) : AT_FIRST;
  const at = Math.max(
    0,
    tiles.findIndex(({ id }) => id === pointed),
  );
  const named = tiles.find(({ id }) => id === pointed);

  const move = (event: KeyboardEvent<HTMLDivElement>): void => {
    const steps = STEPS[event.key];
    if (steps === undefined) return;
    event.preventDefault();
    const next = tiles[Math.min(tiles.length - 1, Math.max(0, at + steps(columns)))];
    if (next === undefined) return;
    setPointed(next.id);
    const drawn = event.currentTarget.querySelectorAll<HTMLElement>("[data-client]");
    [...drawn].find((tile) => tile.dataset.client === next.id)?.focus();
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
            <ClientLink id={named.id} /> {roleWord(named.role)}
            {named.lateSince !== null && <Late since={named.lateSince} />}
            <span className="dim mono">
              <Value text={percent(named.accuracy)} why={kept?.own ?? NOT_EVALUATED} />
            </span>
            <PinButton id={named.id} />
          </>
        )}
      </p>
      <Tiles tiles={drawn} columns={columns} at={at} point={setPointed} />
    </div>
  );
}

interface TilesProps {
  tiles: readonly ClientTile[];
  columns: number;
  /** The place of the tile that the tab key reaches. */
  at: number;
  point: (id: string) => void;
}

const Tiles = memo(function Tiles({ tiles, columns, at, point }: TilesProps) {
  return (
    <VirtualRows
      role="list"
      label="clients"
      testId="clients"
      count={Math.ceil(tiles.length / columns)}
      rowHeight={PITCH}
      even
      keyOf={(index) => index}
      render={(row) => (
        <div className={styles.tiles}>
          {tiles.slice(row * columns, (row + 1) * columns).map(({ id, role }, column) => (
            <Tile key={id} id={id} role={role} reachable={row * columns + column === at} point={point} />
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
