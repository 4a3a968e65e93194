import { useState } from "react";
import { RequestFailed } from "../api/http";

interface Command {
  /** The button was pressed, and the server has not yet said that it is done. */
  taken: boolean;
  /** Resolves to why the server did not take it, or null. */
  give: () => Promise<string | null>;
}

/** A command that counts as taken until `subject` changes: then the server has said what came of it. */
export function useCommand(send: () => Promise<unknown>, subject: string): Command {
  const [takenFor, setTakenFor] = useState<string | null>(null);
  if (takenFor !== null && takenFor !== subject) setTakenFor(null);

  async function give(): Promise<string | null> {
    setTakenFor(subject);
    try {
      await send();
      return null;
    } catch (error) {
      setTakenFor(null);
      if (error instanceof RequestFailed) return error.message;
      throw error;
    }
  }

  return { taken: takenFor === subject, give };
}
