/** Made by `npm run types`: the fields of a run's spec, with the server's defaults and how a form asks for them. */
import type { RunSpec } from "./types";

export interface SpecField {
  kind: "number" | "choice" | "switch" | "group" | "other";
  /** The field may be left empty. */
  nullable: boolean;
  default: unknown;
  /** Of a choice; else none. */
  choices: readonly string[];
  /** null: the form has no field of its own for it. */
  form: FieldForm | null;
  /** The settings that a group holds. */
  within?: Readonly<Record<string, SpecField>>;
}

export interface FieldForm {
  group: "main" | "late" | "privacy" | "advanced" | "engine";
  /** Its place among all fields. */
  order: number;
  title: string;
  /** It is about the run and its clients, whatever they train. */
  any_app: boolean;
  step?: number;
  /** What the field begins with, where that is not the default. */
  suggested?: number;
  unit?: string;
  /** Stands below the field. */
  hint?: string;
  /** What an empty field means. */
  null?: string;
}

export const RUN_SPEC = {
  alpha: {
    kind: "number",
    nullable: true,
    default: 0.5,
    choices: [],
    form: {
      any_app: false,
      group: "main",
      null: "IID: same for all",
      order: 11,
      step: 0.1,
      title: "Dirichlet α",
    },
  },
  app: { kind: "other", nullable: true, default: null, choices: [], form: null },
  batch_size: {
    kind: "number",
    nullable: false,
    default: 32,
    choices: [],
    form: { any_app: false, group: "main", order: 10, step: 8, title: "Batch size" },
  },
  dataset: {
    kind: "choice",
    nullable: false,
    default: "digits",
    choices: ["digits", "mnist", "fashion-mnist", "cifar10", "synthetic"],
    form: { any_app: false, group: "main", order: 2, title: "Data set" },
  },
  dp: {
    kind: "group",
    nullable: true,
    default: null,
    choices: [],
    form: {
      any_app: false,
      group: "privacy",
      hint: "each client adds noise to what it has learned, before that leaves it",
      order: 16,
      title: "Differential privacy",
    },
    within: {
      clipping_norm: {
        kind: "number",
        nullable: false,
        default: 1,
        choices: [],
        form: {
          any_app: false,
          group: "privacy",
          hint: "largest norm of one sample's gradient",
          order: 2,
          step: 0.1,
          title: "Clipping norm",
        },
      },
      delta: {
        kind: "number",
        nullable: false,
        default: 0.00001,
        choices: [],
        form: {
          any_app: false,
          group: "privacy",
          hint: "well below 1 / a client's samples",
          order: 3,
          step: 0.000001,
          title: "δ",
        },
      },
      noise_multiplier: {
        kind: "number",
        nullable: true,
        default: null,
        choices: [],
        form: {
          any_app: false,
          group: "privacy",
          null: "from the target",
          order: 0,
          step: 0.1,
          suggested: 1,
          title: "Noise multiplier",
        },
      },
      target_epsilon: {
        kind: "number",
        nullable: true,
        default: null,
        choices: [],
        form: {
          any_app: false,
          group: "privacy",
          hint: "after all rounds, in place of the noise",
          null: "none",
          order: 1,
          step: 0.5,
          title: "Target ε",
        },
      },
    },
  },
  engine: {
    kind: "choice",
    nullable: false,
    default: "embedded",
    choices: ["embedded", "simulation", "superlink"],
    form: {
      any_app: false,
      group: "engine",
      hint: "what carries the run to its clients",
      order: 25,
      title: "Engine",
    },
  },
  fraction_evaluate: {
    kind: "number",
    nullable: false,
    default: 1,
    choices: [],
    form: {
      any_app: false,
      group: "advanced",
      hint: "of the clients per round",
      order: 21,
      step: 0.1,
      title: "Evaluate fraction",
    },
  },
  fraction_train: {
    kind: "number",
    nullable: false,
    default: 1,
    choices: [],
    form: {
      any_app: false,
      group: "advanced",
      hint: "of the clients per round",
      order: 20,
      step: 0.1,
      title: "Train fraction",
    },
  },
  keep_checkpoints: {
    kind: "number",
    nullable: false,
    default: 3,
    choices: [],
    form: {
      any_app: false,
      group: "advanced",
      hint: "the newest, beside the best",
      order: 22,
      step: 1,
      title: "Checkpoints kept",
    },
  },
  keep_updates: {
    kind: "switch",
    nullable: false,
    default: false,
    choices: [],
    form: {
      any_app: false,
      group: "advanced",
      hint: "on the server's disk, to replay the audit log",
      order: 26,
      title: "Keep the updates",
    },
  },
  local_epochs: {
    kind: "number",
    nullable: false,
    default: 1,
    choices: [],
    form: { any_app: false, group: "main", order: 9, step: 1, title: "Local epochs" },
  },
  lr: {
    kind: "number",
    nullable: false,
    default: 0.05,
    choices: [],
    form: { any_app: false, group: "main", order: 8, step: 0.01, title: "Learning rate" },
  },
  min_clients: {
    kind: "number",
    nullable: false,
    default: 2,
    choices: [],
    form: { any_app: true, group: "main", order: 7, step: 1, title: "Min. clients" },
  },
  min_replies: {
    kind: "number",
    nullable: false,
    default: 1,
    choices: [],
    form: {
      any_app: true,
      group: "late",
      hint: "with fewer it waits, and says for whom",
      order: 14,
      step: 1,
      title: "Min. replies",
    },
  },
  min_reply_share: {
    kind: "number",
    nullable: false,
    default: 0,
    choices: [],
    form: {
      any_app: true,
      group: "late",
      hint: "of the clients that were asked, 0 to 1",
      order: 15,
      step: 0.1,
      title: "Min. share of replies",
    },
  },
  model: {
    kind: "choice",
    nullable: false,
    default: "cnn",
    choices: ["cnn", "linear"],
    form: { any_app: false, group: "main", order: 3, title: "Model" },
  },
  num_partitions: {
    kind: "number",
    nullable: true,
    default: null,
    choices: [],
    form: {
      any_app: true,
      group: "advanced",
      hint: "empty: one per client",
      null: "auto",
      order: 19,
      step: 1,
      title: "Parts of the data",
    },
  },
  num_rounds: {
    kind: "number",
    nullable: false,
    default: 10,
    choices: [],
    form: { any_app: true, group: "main", order: 6, step: 1, title: "Rounds" },
  },
  round_timeout_s: {
    kind: "number",
    nullable: true,
    default: null,
    choices: [],
    form: {
      any_app: true,
      group: "late",
      hint: "then it goes on without the replies that are missing",
      null: "no limit",
      order: 13,
      step: 10,
      title: "Seconds per round",
      unit: "seconds",
    },
  },
  run_config: { kind: "other", nullable: false, default: {}, choices: [], form: null },
  secure_aggregation: {
    kind: "group",
    nullable: true,
    default: null,
    choices: [],
    form: {
      any_app: false,
      group: "privacy",
      hint: "the server sees the sum of the clients' updates, and no single one",
      order: 18,
      title: "Secure aggregation",
    },
    within: {
      bits: {
        kind: "number",
        nullable: false,
        default: 32,
        choices: [],
        form: {
          any_app: false,
          group: "privacy",
          hint: "of each number: 16 or 32",
          order: 2,
          step: 16,
          title: "Bits",
        },
      },
      max_samples: {
        kind: "number",
        nullable: false,
        default: 100000,
        choices: [],
        form: {
          any_app: false,
          group: "privacy",
          hint: "by which a client counts at most",
          order: 4,
          step: 1000,
          title: "Max. samples",
        },
      },
      neighbours: {
        kind: "number",
        nullable: false,
        default: 100,
        choices: [],
        form: {
          any_app: false,
          group: "privacy",
          hint: "clients with which each masks its update",
          order: 1,
          step: 1,
          title: "Neighbours",
        },
      },
      range: {
        kind: "number",
        nullable: false,
        default: 4,
        choices: [],
        form: {
          any_app: false,
          group: "privacy",
          hint: "a weight's change beyond it is clipped",
          order: 3,
          step: 0.5,
          title: "Range",
        },
      },
      threshold: {
        kind: "number",
        nullable: false,
        default: 0.7,
        choices: [],
        form: {
          any_app: false,
          group: "privacy",
          hint: "share of neighbours that must stay, above 2/3",
          order: 0,
          step: 0.05,
          title: "Threshold",
        },
      },
    },
  },
  seed: {
    kind: "number",
    nullable: false,
    default: 0,
    choices: [],
    form: { any_app: false, group: "main", order: 12, step: 1, title: "Seed" },
  },
  simulated_client_cpus: {
    kind: "number",
    nullable: false,
    default: 1,
    choices: [],
    form: {
      any_app: false,
      group: "engine",
      hint: "how many work at once: the machine's CPUs divided by this",
      order: 24,
      step: 0.5,
      title: "CPUs per simulated client",
    },
  },
  simulated_clients: {
    kind: "number",
    nullable: false,
    default: 10,
    choices: [],
    form: {
      any_app: false,
      group: "engine",
      hint: "of the simulation engine",
      order: 23,
      step: 1,
      title: "Simulated clients",
    },
  },
  stop_at_first_budget: {
    kind: "switch",
    nullable: false,
    default: false,
    choices: [],
    form: {
      any_app: false,
      group: "advanced",
      hint: "of the sites' privacy budgets, and not at the last",
      order: 17,
      title: "Stop at the first budget",
    },
  },
  strategy: {
    kind: "choice",
    nullable: false,
    default: "fedavg",
    choices: [
      "fedavg",
      "fedprox",
      "fedavgm",
      "fedadam",
      "fedyogi",
      "fedadagrad",
      "qfedavg",
      "fedmedian",
      "fedtrimmedavg",
      "krum",
      "multikrum",
      "bulyan",
      "dpfedavg-fixed",
      "dpfedavg-adaptive",
    ],
    form: { any_app: false, group: "main", order: 4, title: "Strategy" },
  },
  strategy_params: { kind: "other", nullable: false, default: {}, choices: [], form: null },
} as const satisfies Record<keyof RunSpec, SpecField>;
