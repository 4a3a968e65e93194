import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { fetchStatus } from "../api/requests";
import { activeRun, useStore } from "../store/store";

/** What to type to join; undefined before the server is known. It names the data set of the active run and an id that is free. */
export function useJoinCommand(): string | undefined {
  const atFirst = useStore((state) => state.server.status?.join_command);
  const instance = useStore((state) => state.server.instance);
  const active = useStore((state) => activeRun(state)?.id ?? null);
  const taken = useStore((state) => state.server.clients.length);
  const connected = useStore((state) => state.connection.state === "connected");
  const { data } = useQuery({
    queryKey: ["join command", instance, active, taken],
    queryFn: async () => (await fetchStatus()).join_command,
    placeholderData: keepPreviousData,
    enabled: connected && instance !== null,
    gcTime: 0,
  });
  return data ?? atFirst;
}
