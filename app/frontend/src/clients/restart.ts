/** How a client that is gone is started again. Pure functions. */
import type { Client } from "../api/types";

/** The command that a new client would join with, for this one: its id and its data set. */
export function restartCommand(join: string, { id, dataset, app }: Client): string {
  const named = join.replace(/(--client-id )\S+/, `$1${id}`);
  return app === null ? named.replace(/(--dataset )\S+/, `$1${dataset}`) : named;
}
