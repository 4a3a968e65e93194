/** What is drawn of a machine: one column each, with one or two lines, and the words for a moment. */
import type { Usage } from "../api/types";
import { bytes, percent } from "../format/format";

export interface Column {
  name: "CPU" | "memory" | "disk" | "network" | "GPU";
  /** What the two lines are, in words. */
  about: string;
  /** The strong line, then the faint one. */
  values: (usage: Usage) => readonly [number, number];
  words: (usage: Usage) => string;
  /** Where the axis ends: 1 for shares; rates have one axis for all nodes. */
  isShare: boolean;
}

const busiest = ({ gpus }: Usage): number => Math.max(0, ...gpus.map(({ busy }) => busy));
const share = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);

const COLUMNS: readonly Column[] = [
  {
    name: "CPU",
    about: "FedLoom's process, and faint all programs, of all cores",
    values: ({ process_cores, cores, cpu }) => [share(process_cores, cores), cpu],
    words: ({ process_cores, cores, cpu }) =>
      `${process_cores.toFixed(1)} of ${cores} cores, all ${percent(cpu)}`,
    isShare: true,
  },
  {
    name: "memory",
    about: "FedLoom's process, and faint all programs",
    values: ({ process_memory, memory_used, memory_total }) => [
      share(process_memory, memory_total),
      share(memory_used, memory_total),
    ],
    words: ({ process_memory, memory_used, memory_total }) =>
      `${bytes(process_memory)}, all ${bytes(memory_used)} of ${bytes(memory_total)}`,
    isShare: true,
  },
  {
    name: "disk",
    about: "written a second, and faint read, by all programs",
    values: ({ disk_written, disk_read }) => [disk_written, disk_read],
    words: ({ disk_written, disk_used, disk_total }) =>
      `${bytes(disk_written)}/s, ${bytes(disk_used)} of ${bytes(disk_total)}`,
    isShare: false,
  },
  {
    name: "network",
    about: "sent a second, and faint received, by all programs",
    values: ({ sent, received }) => [sent, received],
    words: ({ sent, received }) => `↑ ${bytes(sent)}/s ↓ ${bytes(received)}/s`,
    isShare: false,
  },
];

const GPU: Column = {
  name: "GPU",
  about: "the busiest one, and faint the memory of all",
  values: (usage) => [
    busiest(usage),
    share(sum(usage.gpus.map((gpu) => gpu.memory_used)), sum(usage.gpus.map((gpu) => gpu.memory_total))),
  ],
  words: (usage) =>
    usage.gpus.length === 0
      ? "none"
      : `${percent(busiest(usage))}, ${bytes(sum(usage.gpus.map((gpu) => gpu.memory_used)))}`,
  isShare: true,
};

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** A column for GPUs only where a machine has one. */
export function columnsFor(usages: Iterable<readonly Usage[]>): readonly Column[] {
  for (const kept of usages) if ((kept.at(-1)?.gpus.length ?? 0) > 0) return [...COLUMNS, GPU];
  return COLUMNS;
}

const LEAST_RATE = 10_000;

/** The end of a column's axis: the same for all nodes, so that they can be compared. */
export function axisEnd(column: Column, usages: Iterable<readonly Usage[]>): number {
  if (column.isShare) return 1;
  let most = LEAST_RATE;
  for (const kept of usages) for (const usage of kept) most = Math.max(most, ...column.values(usage));
  return most;
}
