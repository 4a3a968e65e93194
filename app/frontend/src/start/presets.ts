/** Runs that one would try first, as changes to the server's defaults. Pure data. */
import type { RunSpec } from "../api/types";

export interface Preset {
  title: string;
  /** What one learns from it. */
  about: string;
  changes: Partial<RunSpec>;
}

export const FIRST_LOOK: Preset = {
  title: "First look",
  about: "Small images of digits, the same mix for every client: done in seconds, and no download.",
  changes: { dataset: "digits", num_rounds: 5, alpha: null },
};

export const PRESETS: readonly Preset[] = [
  FIRST_LOOK,
  {
    title: "Unequal data",
    about: "Each client has a few digits only (Dirichlet α 0.1): how much longer does it take?",
    changes: { dataset: "digits", num_rounds: 20, alpha: 0.1 },
  },
  {
    title: "One attacker",
    about: "The median of each weight in place of the mean: one client of five may send what it likes.",
    changes: { dataset: "digits", num_rounds: 10, strategy: "fedmedian", min_clients: 5 },
  },
  {
    title: "Private",
    about: "Each client adds noise to what it has learned (DP-SGD): accuracy beside ε, the privacy spent.",
    changes: {
      dataset: "digits",
      num_rounds: 10,
      alpha: null,
      batch_size: 64,
      dp: { noise_multiplier: 1, target_epsilon: null, delta: 0.00001, clipping_norm: 1 },
    },
  },
  {
    title: "Slow site",
    about: "A round waits at most 20 seconds, and counts with two replies: who is late is not waited for.",
    changes: { dataset: "digits", num_rounds: 10, min_clients: 3, round_timeout_s: 20, min_replies: 2 },
  },
];
