import { useSearchParams } from "wouter";

/** The name of the peer that is open, which stands in the address. */
export function useOpenedPeer(): [string | null, (name: string | null) => void] {
  const [params, setParams] = useSearchParams();
  const open = (name: string | null): void =>
    setParams((before) => {
      const after = new URLSearchParams(before);
      if (name === null) after.delete("peer");
      else after.set("peer", name);
      return after;
    });
  return [params.get("peer"), open];
}
