import { useSearchParams } from "wouter";

/** One of a few that the reader chooses, as it stands in the address; the first of them where nothing does. */
export function useParam<Option extends string>(
  name: string,
  options: readonly [Option, ...Option[]],
): [Option, (option: Option) => void] {
  const [params, change] = useSearchParams();
  const given = params.get(name);
  const chosen = options.find((option) => option === given) ?? options[0];
  const choose = (option: Option): void =>
    change(
      (before) => {
        const after = new URLSearchParams(before);
        if (option === options[0]) after.delete(name);
        else after.set(name, option);
        return after;
      },
      { replace: true },
    );
  return [chosen, choose];
}
