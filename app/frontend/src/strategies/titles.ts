import type { RunSpec, Strategy } from "../api/types";

/** From a strategy's name, "multikrum", to its title, "Multi-Krum". */
export type TitleOf = (name: RunSpec["strategy"]) => string;

/** A title that the server has not told yet is the name itself. */
export function titlesOf(strategies: readonly Strategy[]): TitleOf {
  const titles = new Map(strategies.map(({ name, title }) => [name, title]));
  return (name) => titles.get(name) ?? name;
}
