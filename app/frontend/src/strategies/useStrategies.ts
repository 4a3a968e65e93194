import { queryOptions, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { fetchStrategies } from "../api/requests";
import type { Strategy } from "../api/types";
import { useStore } from "../store/store";
import { type TitleOf, titlesOf } from "./titles";

/** They change with the server's version only. */
export const strategiesQuery = queryOptions({
  queryKey: ["strategies"],
  queryFn: fetchStrategies,
  staleTime: Infinity,
});

interface Strategies {
  strategies: readonly Strategy[];
  /** Why they are not there. */
  failure: string | null;
}

const NONE: readonly Strategy[] = [];

/** The strategies with their parameters; asked for again when the server is back, if that failed. */
export function useStrategies(): Strategies {
  const connected = useStore((state) => state.connection.state === "connected");
  const { data, error } = useQuery({ ...strategiesQuery, enabled: connected });
  return { strategies: data ?? NONE, failure: error?.message ?? null };
}

/** How people call a strategy. */
export function useStrategyTitles(): TitleOf {
  const { strategies } = useStrategies();
  return useMemo(() => titlesOf(strategies), [strategies]);
}
