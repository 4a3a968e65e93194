/** What a run promises to those whose data it learns from, in words. Pure functions. */
import type { PrivacySpent } from "../api/types";
import { epsilon, NO_DATA, number, plural } from "../format/format";

/** "ε 4.90 at δ 1.0e-5, per client" */
export function privacyWords({ epsilon: spent, delta, protects }: PrivacySpent): string {
  return spent === null ? `ε ${NO_DATA}` : `ε ${epsilon(spent)} at δ ${number(delta)}, per ${protects}`;
}

/** Who is protected from whom, and what is outside of that. */
export function privacyExplained({ epsilon: spent, delta, releases, protects }: PrivacySpent): string {
  if (spent === null)
    return "Without noise there is no ε: updates are clipped only, and nothing is private. Raise noise_multiplier.";
  const [who, seen] = PROTECTED[protects];
  const by = releases === null ? "" : `, spent by ${plural(releases, "model")} of this run`;
  return [`${who}: ε ${epsilon(spent)} at δ ${number(delta)}${by}.`, seen, OUTSIDE].join(" ");
}

const OUTSIDE =
  "It is found by Rényi differential privacy. Numbers of samples, label counts and results that clients report are outside of it.";

const PROTECTED: Record<PrivacySpent["protects"], readonly [who: string, seen: string]> = {
  client: [
    "Differential privacy hides whether any one client took part",
    "It holds for the model and whoever sees that, not for the server, which sees each update.",
  ],
  sample: [
    "Differential privacy hides whether any one sample of a client was used",
    "It is the largest of a client over all its runs, by the clients' own word, and holds for the updates that leave them.",
  ],
};
