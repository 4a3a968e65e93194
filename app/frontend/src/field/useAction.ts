import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { actOn, type PeerAction } from "./actions";

interface Action {
  taken: boolean;
  /** Resolves to why it was not done, or null: then the page shows the client as it is. */
  give: () => Promise<string | null>;
}

/** Something that the client is to do about a node. */
export function useAction(action: PeerAction, key: string): Action {
  const [taken, setTaken] = useState(false);
  const queries = useQueryClient();

  async function give(): Promise<string | null> {
    setTaken(true);
    try {
      const refusal = await actOn(action, key);
      if (refusal === null) await queries.invalidateQueries({ queryKey: ["status"] });
      return refusal;
    } finally {
      setTaken(false);
    }
  }

  return { taken, give };
}
