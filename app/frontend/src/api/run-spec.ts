/** Made by `npm run types`: the fields of a run's spec, with the server's defaults. */
import type { RunSpec } from "./types";

export interface SpecField {
  number: boolean;
  /** The field may be left empty. */
  nullable: boolean;
  default: unknown;
  description: string;
}

export const RUN_SPEC = {
  alpha: {
    number: true,
    nullable: true,
    default: 0.5,
    description: "Dirichlet concentration: small means unequal clients; without: IID",
  },
  app: {
    number: false,
    nullable: true,
    default: null,
    description: "name of the Flower app that the server was started with; null: the built-in one",
  },
  batch_size: {
    number: true,
    nullable: false,
    default: 32,
    description: "samples per step of the optimiser",
  },
  dataset: {
    number: false,
    nullable: false,
    default: "digits",
    description: "what every client trains on",
  },
  fraction_evaluate: {
    number: true,
    nullable: false,
    default: 1,
    description: "share of the clients that evaluate in a round",
  },
  fraction_train: {
    number: true,
    nullable: false,
    default: 1,
    description: "share of the clients that train in a round",
  },
  keep_checkpoints: {
    number: true,
    nullable: false,
    default: 3,
    description: "newest checkpoints of the model that are kept, beside the best one",
  },
  local_epochs: {
    number: true,
    nullable: false,
    default: 1,
    description: "passes over a client's own data in one round",
  },
  lr: {
    number: true,
    nullable: false,
    default: 0.05,
    description: "learning rate of the clients' SGD",
  },
  min_clients: {
    number: true,
    nullable: false,
    default: 2,
    description: "a round starts once so many clients are there",
  },
  min_replies: {
    number: true,
    nullable: false,
    default: 1,
    description: "updates that a round needs at least; with fewer it waits",
  },
  min_reply_share: {
    number: true,
    nullable: false,
    default: 0,
    description: "share of the clients asked whose updates a round needs at least",
  },
  model: {
    number: false,
    nullable: false,
    default: "cnn",
    description: "the network that is trained",
  },
  num_partitions: {
    number: true,
    nullable: true,
    default: null,
    description: "parts of the data set; without: as many as clients at the start",
  },
  num_rounds: {
    number: true,
    nullable: false,
    default: 10,
    description: "rounds of training and evaluation",
  },
  round_timeout_s: {
    number: true,
    nullable: true,
    default: null,
    description: "seconds after which a round goes on without the replies that are missing",
  },
  run_config: {
    number: false,
    nullable: false,
    default: {},
    description: "values that replace the app's own run config",
  },
  seed: {
    number: true,
    nullable: false,
    default: 0,
    description: "fixes partition, initial model, batches and cohorts",
  },
  strategy: {
    number: false,
    nullable: false,
    default: "fedavg",
    description: "how the clients' updates become one model",
  },
  strategy_params: {
    number: false,
    nullable: false,
    default: {},
    description: "parameters of the strategy",
  },
} as const satisfies Record<keyof RunSpec, SpecField>;
