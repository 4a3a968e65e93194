import { useLocalStorage } from "@mantine/hooks";
import { type Chosen, type Slot, SLOTS } from "./choice";

const STORED = "fedloom-metrics";
const NOTHING: Readonly<Record<string, Chosen>> = {};
const NO_CHOICE: Chosen = {};

/** What the reader chose for the charts of this app's runs, kept in the browser, and how to choose. */
export function useChosenMetrics(app: string): [Chosen, (slot: Slot, key: string) => void] {
  const [byApp, change] = useLocalStorage({
    key: STORED,
    defaultValue: NOTHING,
    getInitialValueInEffect: false,
    deserialize: readChosen,
  });
  const chosen = Object.entries(byApp).find(([name]) => name === app)?.[1] ?? NO_CHOICE;
  const choose = (slot: Slot, key: string): void => {
    change({ ...byApp, [app]: { ...chosen, [slot]: key } });
  };
  return [chosen, choose];
}

/** What is stored, as far as it is what this page stores. */
export function readChosen(text: string | undefined): Readonly<Record<string, Chosen>> {
  return Object.fromEntries(
    entriesOf(parsed(text)).map(([app, slots]) => {
      const known = entriesOf(slots).filter(
        ([slot, key]) => SLOTS.some((each) => each === slot) && typeof key === "string",
      );
      return [app, Object.fromEntries(known)];
    }),
  );
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return null; // not ours: as if nothing had been chosen
  }
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}
