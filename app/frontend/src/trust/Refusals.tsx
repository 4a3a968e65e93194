import { useQuery } from "@tanstack/react-query";
import { fetchStatus } from "../api/requests";
import { useStore } from "../store/store";
import { Explained } from "../ui/Explained";
import { refusedTitle, refusedWords } from "./refused";

/** No event tells of them: whoever is refused must not make the server speak to every page. */
const EVERY_MS = 10_000;

/** How often somebody was not let in since the server started, and why. */
export function Refusals() {
  const atFirst = useStore((state) => state.server.status?.refused);
  const instance = useStore((state) => state.server.instance);
  const { data = atFirst } = useQuery({
    queryKey: ["refused", instance],
    queryFn: async () => (await fetchStatus()).refused,
    refetchInterval: EVERY_MS,
    gcTime: 0,
  });
  if (data === undefined) return null;
  const title = refusedTitle(data);
  return (
    <p data-testid="refusals">
      {title === "" ? refusedWords(data) : <Explained why={title}>{refusedWords(data)}</Explained>}
    </p>
  );
}
