import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { RequestFailed } from "../api/http";
import { fetchLocalClients } from "../api/requests";
import type { LocalClient } from "../api/types";
import { useMay } from "../login/who";
import { useStore } from "../store/store";

const LOCAL = "local clients";
const LOOK_MS = 1000;

interface LocalClientsState {
  /** The reader may start and end them, and this server allows it. */
  offered: boolean;
  clients: readonly LocalClient[];
  /** Those that run and have not connected yet. */
  starting: readonly string[];
  /** So many more may be started. */
  room: number;
  /** What the server said against the last change. */
  failure: string | null;
  busy: boolean;
  /** Starts or ends some; what is listed is asked for again. */
  make: (change: () => Promise<unknown>) => Promise<void>;
}

const NONE: readonly LocalClient[] = [];

/** The clients that this page has started on the server's machine. */
export function useLocalClients(): LocalClientsState {
  const mayStart = useMay("operator");
  const instance = useStore((state) => state.server.instance);
  const reached = useStore((state) => state.connection.state === "connected");
  const connected = useStore(({ server }) =>
    server.clients
      .filter(({ state }) => state !== "lost")
      .map(({ id }) => id)
      .join(" "),
  );
  const startingOf = (clients: readonly LocalClient[] = NONE): string[] => {
    const there = new Set(connected.split(" "));
    return clients.filter(({ id, state }) => state === "running" && !there.has(id)).map(({ id }) => id);
  };
  const { data } = useQuery({
    queryKey: [LOCAL, instance, connected],
    queryFn: fetchLocalClients,
    enabled: reached && instance !== null && mayStart,
    placeholderData: (before) => before,
    // One that cannot start never connects: it is asked until it has, or has ended.
    refetchInterval: ({ state }) => (startingOf(state.data?.clients).length > 0 ? LOOK_MS : false),
    retry: false,
    gcTime: 0,
  });
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const queries = useQueryClient();
  const make = async (change: () => Promise<unknown>): Promise<void> => {
    setBusy(true);
    setFailure(null);
    try {
      await change();
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      setFailure(error.message);
    } finally {
      await queries.invalidateQueries({ queryKey: [LOCAL] });
      setBusy(false);
    }
  };
  const clients = data?.clients ?? NONE;
  const running = clients.filter(({ state }) => state === "running").length;
  return {
    offered: mayStart && data?.refused === null,
    clients,
    starting: startingOf(clients),
    room: Math.max((data?.limit ?? 0) - running, 0),
    failure,
    busy,
    make,
  };
}
