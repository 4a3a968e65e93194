import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { RequestFailed } from "../api/http";

interface Change {
  failure: string | null;
  /** Resolves to whether it was done. What is listed under `key` is asked for again. */
  make: (change: () => Promise<unknown>) => Promise<boolean>;
}

/** Changes of one list, one after the other, and why the last was not done. */
export function useChange(key: string): Change {
  const queries = useQueryClient();
  const [failure, setFailure] = useState<string | null>(null);
  const make = async (change: () => Promise<unknown>): Promise<boolean> => {
    setFailure(null);
    try {
      await change();
      return true;
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      setFailure(error.message);
      return false;
    } finally {
      await queries.invalidateQueries({ queryKey: [key] });
    }
  };
  return { failure, make };
}
