import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { fetchUsage } from "../api/requests";
import type { NodeSeries } from "../api/types";
import { useStore } from "../store/store";
import type { Usages } from "../store/usages";
import { endOf, EXTENTS, gapOf, type History, isLong } from "./history";
import { axisEnd, type Column, columnsFor } from "./metrics";
import { type Axis, lengthOf, linesOf, type Row, rowsOf } from "./series";

/** Of a long history; in between, the socket tells what is new. */
const ASK_AGAIN_MS = 5 * 60_000;
const NONE: readonly NodeSeries[] = [];

export interface SystemState {
  rows: readonly Row[];
  columns: readonly (Column & { end: number })[];
  axis: Axis;
  loading: boolean;
  failure: string | null;
}

/** All nodes, or one `client`: asked for at the opening and after each connection, and followed on the socket. */
export function useSystem(history: History, client?: string): SystemState {
  const extent = EXTENTS[history];
  const instance = useStore((state) => state.server.instance);
  const connectedSince = useStore(({ connection }) =>
    connection.state === "connected" ? connection.since : null,
  );
  const told = useStore((state) => state.usages);
  const clients = useStore((state) => state.server.clients);
  const now = useStore((state) => state.now);
  const { data, error, isPending } = useQuery({
    queryKey: ["system", instance, connectedSince, extent],
    queryFn: () =>
      fetchUsage(extent.points, isLong(extent) ? Math.floor(useStore.getState().now) - extent.span : null),
    placeholderData: keepPreviousData,
    enabled: connectedSince !== null,
    refetchInterval: isLong(extent) ? ASK_AGAIN_MS : false,
    gcTime: 0,
  });
  const fetched = useMemo(() => (data?.nodes ?? NONE).filter(isMeant(client)), [data, client]);
  const step = data?.step_s ?? 0;
  const until = endOf(extent, now);
  const drawn = useAsOf(isLong(extent) ? until : told, told);
  const lines = useMemo(
    () => linesOf(fetched, ofClient(drawn, client), until - extent.span, isLong(extent) ? step : 0),
    [fetched, drawn, client, until, extent, step],
  );
  const columns = useMemo(() => {
    const usages = [...lines.values()];
    return columnsFor(usages).map((column) => ({ ...column, end: axisEnd(column, usages) }));
  }, [lines]);
  const rows = useMemo(
    () => rowsOf(lines, told, clients, now).filter(isMeant(client)),
    [lines, told, clients, now, client],
  );
  const span = lengthOf(extent, lines, until);
  const axis = useMemo(() => ({ since: until - span, span, gap: gapOf(step) }), [until, span, step]);
  return { rows, columns, axis, loading: isPending, failure: error?.message ?? null };
}

function isMeant(wanted: string | undefined): (node: { client: string | null }) => boolean {
  return ({ client }) => wanted === undefined || client === wanted;
}

function ofClient(told: Usages, wanted: string | undefined): Usages {
  return wanted === undefined ? told : new Map([[wanted, told.get(wanted) ?? []]]);
}

/** A value as it was when `key` became what it is. */
function useAsOf<Value>(key: unknown, value: Value): Value {
  const [kept, keep] = useState({ key, value });
  if (Object.is(kept.key, key)) return kept.value;
  keep({ key, value });
  return value;
}
