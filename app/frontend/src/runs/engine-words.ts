/** What carries a run to its clients, in words. Pure functions. */
import type { Run, RunSpec } from "../api/types";
import { plural } from "../format/format";

export const ENGINES: Record<RunSpec["engine"], string> = {
  embedded: "FedLoom's own clients",
  simulation: "Flower's simulation, on this machine",
  superlink: "Flower's SuperLink",
};

/** Who carries it, where that is not FedLoom; else null. */
export function engineWords({
  engine,
  simulated_clients,
}: Pick<RunSpec, "engine" | "simulated_clients">): string | null {
  switch (engine) {
    case "embedded":
      return null;
    case "simulation":
      return `Flower's simulation of ${plural(simulated_clients, "client")}`;
    case "superlink":
      return ENGINES.superlink;
  }
}

/** Whether its clients are an engine's, and no members of the federation. */
export function isOnEngine(run: Pick<Run, "spec"> | null): boolean {
  return run !== null && run.spec.engine !== "embedded";
}

/** What such a run does not have, and why. */
export function withoutWords({ engine }: Pick<RunSpec, "engine">): string {
  const whose =
    engine === "simulation"
      ? "The clients of this run are simulated on the server's machine"
      : "The clients of this run are SuperNodes of Flower's SuperLink";
  return `${whose}. They are no members of the federation and have no keys: nobody signs updates, so there are no verdicts and receipts, and no client keeps an account of its privacy or a policy.`;
}
