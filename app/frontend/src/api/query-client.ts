import { QueryClient } from "@tanstack/react-query";

/** What is fetched and kept. Whether the server can be reached, the socket tells: the browser's own guess is not asked. */
export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        networkMode: "always",
        retry: false,
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
      },
    },
  });
}
