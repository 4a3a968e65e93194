import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useStore } from "../store/store";

/** Another start of the server may offer other things: what the one before answered is asked for again. */
export function useRefetchFromNewServer(): void {
  const queries = useQueryClient();
  useEffect(
    () =>
      useStore.subscribe(({ server }, before) => {
        const known = before.server.instance;
        if (known !== null && server.instance !== known) void queries.invalidateQueries();
      }),
    [queries],
  );
}
