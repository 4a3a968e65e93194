/** What a run promises to those whose data it learns from, in words. Pure functions. */
import type { ClientRound, PrivacySpent, RunSpec } from "../api/types";
import { epsilon, NO_DATA, number, plural } from "../format/format";
import { isPrivate } from "./spec-words";

/** "ε 4.90 at δ 1.0e-5, per client" */
export function privacyWords({ epsilon: spent, delta, protects }: PrivacySpent): string {
  return spent === null ? `ε ${NO_DATA}` : `ε ${epsilon(spent)} at δ ${number(delta)}, per ${protects}`;
}

/** Who is protected from whom, and what is outside of that. */
export function privacyExplained(privacy: PrivacySpent): string {
  const { epsilon: spent, delta, releases, protects, from_server } = privacy;
  if (spent === null)
    return "Without noise there is no ε: updates are clipped only, and nothing is private. Raise noise_multiplier.";
  const [who, seen] = PROTECTED[protects === "client" && from_server ? "client of a sum" : protects];
  const by = releases === null ? "" : `, spent by ${plural(releases, "model")} of this run`;
  return [`${who}: ε ${epsilon(spent)} at δ ${number(delta)}${by}.`, seen, OUTSIDE].join(" ");
}

const OUTSIDE =
  "It is found by Rényi differential privacy. Numbers of samples, label counts and results that clients report are outside of it.";

type Promised = PrivacySpent["protects"] | "client of a sum";

const PROTECTED: Record<Promised, readonly [who: string, seen: string]> = {
  client: [
    "Differential privacy hides whether any one client took part",
    "It holds for the model and whoever sees that, not for the server, which sees each update.",
  ],
  "client of a sum": [
    "Differential privacy hides whether any one client took part",
    "It holds for the server too, which sees the sum of the updates alone: the clients add the noise inside it. Clients in league with the server can take their own part of it away.",
  ],
  sample: [
    "Differential privacy hides whether any one sample of a client was used",
    "It is the largest of a client over all its runs, by the clients' own word, and holds for the updates that leave them.",
  ],
};

/** Why numbers about a single client are missing. */
export interface Kept {
  /** Its accuracy, loss and label counts. */
  own: string;
  /** Its number of samples; null: that is told. */
  samples: string | null;
}

/** Null: the run keeps nothing back. */
export function whyKept(spec: RunSpec | undefined): Kept | null {
  if (spec === undefined || !isPrivate(spec)) return null;
  const own = `not told: ${protectionWords(spec)}; the client's site can allow it (metrics_of_private_runs)`;
  return { own, samples: spec.secure_aggregation === null ? null : own };
}

/** For all to read: which numbers of single clients a run lacks, and why; null: none. `results`: the clients' newest. */
export function keptWords(spec: RunSpec | undefined, results: Iterable<ClientRound>): string | null {
  if (spec === undefined || !isPrivate(spec)) return null;
  const known = [...results];
  if (known.length > 0 && known.every(({ accuracy }) => accuracy !== null)) return null;
  const samples = spec.secure_aggregation === null ? "" : ", numbers of samples";
  return `Accuracy, loss${samples} and label counts of single clients stay with them: ${protectionWords(spec)}.`;
}

function protectionWords({ secure_aggregation }: Pick<RunSpec, "secure_aggregation">): string {
  return secure_aggregation === null
    ? "the noise of differential privacy covers updates alone"
    : "with secure aggregation the server sees sums alone";
}
