import { useEffect, useState } from "react";
import { fetchStrategies } from "../api/http";
import type { Strategy } from "../api/types";

interface Strategies {
  strategies: readonly Strategy[];
  /** Why they are not there. */
  failure: string | null;
}

/** The strategies with their parameters; asked for when first `wanted`, and again if that failed. */
export function useStrategies(wanted: boolean): Strategies {
  const [known, setKnown] = useState<Strategies>({ strategies: [], failure: null });
  const missing = known.strategies.length === 0;

  useEffect(() => {
    if (!wanted || !missing) return;
    let current = true;
    fetchStrategies()
      .then((strategies) => {
        if (current) setKnown({ strategies, failure: null });
      })
      .catch((error: unknown) => {
        if (current)
          setKnown({ strategies: [], failure: error instanceof Error ? error.message : String(error) });
      });
    return () => {
      current = false;
    };
  }, [wanted, missing]);

  return known;
}
