import { useMemo } from "react";
import { useSearchParams } from "wouter";
import { pinsOf, toggled } from "./pins";

interface Pins {
  pinned: readonly string[];
  toggle: (id: string) => void;
  clear: () => void;
}

/** Whose lines stand out in the curves, by the address. */
export function usePins(): Pins {
  const [params, setParams] = useSearchParams();
  const written = params.get("clients");
  const pinned = useMemo(() => pinsOf(written), [written]);
  const write = (change: (before: readonly string[]) => string[]): void =>
    setParams(
      (before) => {
        const ids = change(pinsOf(before.get("clients")));
        if (ids.length > 0) before.set("clients", ids.join(","));
        else before.delete("clients");
        return before;
      },
      { replace: true },
    );
  return { pinned, toggle: (id) => write((before) => toggled(before, id)), clear: () => write(() => []) };
}
