import { useLocalStorage } from "@mantine/hooks";
import { useEffect, useMemo } from "react";
import { useSearchParams } from "wouter";
import { ALL_PARTS, readView, type View, type ViewPart, withView, writeView } from "./view";

const STORED = "fedloom-view";
const NOTHING: Readonly<Record<string, string>> = {};

/**
 * How the reader wants the curves: as the address says, else as it was the last time; and how to change that. Of it, only
 * `parts` come into the address.
 */
export function useView(parts: readonly ViewPart[] = ALL_PARTS): [View, (part: Partial<View>) => void] {
  const [params, setParams] = useSearchParams();
  const [stored, store] = useLocalStorage({
    key: STORED,
    defaultValue: NOTHING,
    getInitialValueInEffect: false,
    deserialize: readStored,
  });
  const address = params.toString();
  // The same while both are: charts are drawn anew for another.
  const view = useMemo(
    () => readView(Object.fromEntries(new URLSearchParams(address)), readView(stored)),
    [address, stored],
  );
  const said = withView(params, view, parts).toString();
  // Also what is only remembered: the address is what is sent to a colleague.
  useEffect(() => {
    if (said !== address) setParams(new URLSearchParams(said), { replace: true });
  }, [said, address, setParams]);
  const change = (part: Partial<View>): void => {
    const next = { ...view, ...part };
    store(writeView(next));
    setParams((before) => withView(before, next, parts), { replace: true });
  };
  return [view, change];
}

/** What is stored, as far as it is words by name. */
function readStored(text: string | undefined): Readonly<Record<string, string>> {
  try {
    const value: unknown = JSON.parse(text ?? "");
    if (typeof value !== "object" || value === null) return NOTHING;
    return Object.fromEntries(Object.entries(value).map(([name, word]) => [name, String(word)]));
  } catch {
    return NOTHING; // not ours: as if nothing had been chosen
  }
}
