/** What a run is to do, in words. Pure functions. */
import type { Run, RunSpec } from "../api/types";
import { count, exactTime, plural } from "../format/format";
import type { TitleOf } from "../strategies/titles";
import { engineWords } from "./engine-words";

export const DATASETS: Record<RunSpec["dataset"], string> = {
  digits: "Digits",
  mnist: "MNIST",
  "fashion-mnist": "Fashion-MNIST",
  cifar10: "CIFAR-10",
  synthetic: "Synthetic",
};

export const MODELS: Record<RunSpec["model"], string> = { cnn: "CNN", linear: "linear" };

type Dp = NonNullable<RunSpec["dp"]>;
type Secure = NonNullable<RunSpec["secure_aggregation"]>;

/** α of the Dirichlet split, or IID. */
function heterogeneity(spec: RunSpec): string {
  return spec.alpha === null ? "IID" : `α ${spec.alpha}`;
}

export function specWords(spec: RunSpec, titleOf: TitleOf): string {
  if (spec.app !== null) return [spec.app, ...pairs(spec.run_config)].join(" · ");
  const engine = engineWords(spec);
  return [
    ...(engine === null ? [] : [engine]),
    DATASETS[spec.dataset],
    MODELS[spec.model],
    titleOf(spec.strategy),
    heterogeneity(spec),
    ...(spec.dp === null ? [] : [dpWords(spec.dp)]),
    ...(spec.secure_aggregation === null ? [] : ["secure aggregation"]),
  ].join(" · ");
}

function pairs(values: Readonly<Record<string, unknown>> | undefined): string[] {
  return Object.entries(values ?? {}).map(([name, value]) => `${name} ${String(value)}`);
}

/** How private a run is to be: "DP, noise 1", "DP, ε up to 3". */
export function dpWords({
  noise_multiplier,
  target_epsilon,
}: Pick<Dp, "noise_multiplier" | "target_epsilon">): string {
  if (target_epsilon !== null) return `DP, ε up to ${target_epsilon}`;
  return noise_multiplier === null ? "DP" : `DP, noise ${noise_multiplier}`;
}

/** Whether its clients keep their own numbers to themselves. */
export function isPrivate(spec: RunSpec | undefined): boolean {
  return spec !== undefined && (spec.dp !== null || spec.secure_aggregation !== null);
}

/** Whether the clients share the strategy's noise inside the masked sum: then each counts once. */
export function clientsShareNoise(strategy: RunSpec["strategy"], isSecure: boolean): boolean {
  return isSecure && strategy === "dpfedavg-fixed";
}

/** How the updates are summed: the server sees no single one. */
function secureWords(
  { threshold, neighbours, bits, range, max_samples }: Secure,
  strategy: RunSpec["strategy"],
): string {
  const counted = clientsShareNoise(strategy, true)
    ? "each client counts once and adds its part of the noise"
    : `at most ${count(max_samples)} samples count`;
  return `secure aggregation: threshold ${threshold}, at most ${count(neighbours)} neighbours, ${bits} bits, range ±${range}, ${counted}`;
}

/** All settings that `specWords` leaves out, one line each. */
export function settingsLines({ spec, created_at, started_at, finished_at }: Run): string[] {
  const { lr, local_epochs, batch_size, seed, min_clients } = spec;
  const training = `learning rate ${lr}, local epochs ${local_epochs}, batch size ${batch_size}, seed ${seed}`;
  const parameters = pairs(spec.strategy_params).join(", ");
  return [
    ...(spec.app === null
      ? [training, ...(parameters === "" ? [] : [`strategy: ${parameters}`]), shareWords(spec)]
      : []),
    ...(spec.dp === null
      ? []
      : [
          `${dpWords(spec.dp)}, clipping norm ${spec.dp.clipping_norm}, δ ${spec.dp.delta}; ends when ${spec.stop_at_first_budget ? "the first site's budget is" : "all sites' budgets are"} spent`,
        ]),
    ...(spec.secure_aggregation === null ? [] : [secureWords(spec.secure_aggregation, spec.strategy)]),
    ...(spec.engine === "simulation" ? [`${spec.simulated_client_cpus} CPUs for each simulated client`] : []),
    `at least ${plural(min_clients, "client")}; ${lateWords(spec)}`,
    ...(spec.app === null ? [keptWords(spec)] : []),
    [
      `created ${exactTime(created_at)}`,
      ...(started_at === null ? [] : [`started ${exactTime(started_at)}`]),
      ...(finished_at === null ? [] : [`ended ${exactTime(finished_at)}`]),
    ].join(", "),
  ];
}

type Shares = Pick<RunSpec, "num_partitions" | "fraction_train" | "fraction_evaluate">;

/** Who has which part of the data, and how many of the clients are asked. */
function shareWords({ num_partitions, fraction_train, fraction_evaluate }: Shares): string {
  const parts = num_partitions === null ? "a part for each client" : plural(num_partitions, "part");
  const share = (fraction: number): string => `${count(fraction * 100)} %`;
  return `data in ${parts}; ${share(fraction_train)} of the clients train in a round, ${share(fraction_evaluate)} evaluate`;
}

type Keeping = Pick<RunSpec, "keep_checkpoints" | "keep_updates">;

function keptWords({ keep_checkpoints, keep_updates }: Keeping): string {
  const models = `keeps the newest ${plural(keep_checkpoints, "checkpoint")} and the best`;
  return keep_updates ? `${models}, and the clients' updates` : models;
}

/** To ask for a run like it. An app that decides about its rounds itself takes no number of them. */
export function specAgain({ spec, num_rounds }: Pick<Run, "spec" | "num_rounds">): Partial<RunSpec> {
  const asked: Partial<RunSpec> = { ...spec };
  if (num_rounds === null) delete asked.num_rounds;
  return asked;
}

type LatePolicy = Pick<RunSpec, "round_timeout_s" | "min_replies" | "min_reply_share">;

/** What a round does about clients that do not answer. */
export function lateWords({ round_timeout_s, min_replies, min_reply_share }: LatePolicy): string {
  const least = [
    ...(min_replies > 1 || min_reply_share === 0 ? [plural(min_replies, "reply", "replies")] : []),
    ...(min_reply_share > 0 ? [`${count(min_reply_share * 100)} % of those asked`] : []),
  ].join(" and ");
  if (round_timeout_s === null) return `a round waits for every client and needs at least ${least}`;
  return `after ${count(round_timeout_s)} s a round goes on with at least ${least}`;
}
