import { NativeSelect } from "@mantine/core";
import type { Strategy } from "../api/types";
import { plural } from "../format/format";
import { titlesOf } from "../strategies/titles";
import { BoxErrors } from "./BoxErrors";
import { ParameterField } from "./fields";
import { ofStrategy } from "./parameters";
import form from "./StartDialog.module.css";
import type { FormPart } from "./useStartForm";

interface StrategyFieldProps {
  part: FormPart;
  strategies: readonly Strategy[];
}

/** Until the server has told what it offers, the chosen one is all there is. */
export function StrategyField({ part, strategies }: StrategyFieldProps) {
  const chosen = part.values.strategy;
  const names = strategies.length === 0 ? [chosen] : strategies.map(({ name }) => name);
  const titleOf = titlesOf(strategies);
  const choose = (wanted: string): void => {
    const strategy = names.find((name) => name === wanted);
    if (strategy !== undefined) part.change({ strategy });
  };
  return (
    <NativeSelect
      className={form.wide ?? ""}
      label="Strategy"
      name="strategy"
      value={chosen}
      onChange={(event) => choose(event.currentTarget.value)}
      data={names.map((name) => ({ value: name, label: titleOf(name) }))}
      error={part.errors.strategy}
    />
  );
}

interface StrategyParametersProps {
  part: FormPart;
  /** Undefined until the server has told. */
  strategy: Strategy | undefined;
  failure: string | null;
}

/** What the chosen strategy is, and its parameters. */
export function StrategyParameters({ part, strategy, failure }: StrategyParametersProps) {
  const parameters = ofStrategy(strategy?.parameters ?? []);
  return (
    <div className={form.strategy} data-testid="strategy">
      {strategy === undefined ? (
        <p className="dim small">{unknownWords(failure)}</p>
      ) : (
        <About strategy={strategy} />
      )}
      {parameters.length > 0 && (
        <div className={form.parameters}>
          {parameters.map((parameter) => (
            <ParameterField key={parameter.name} part={part} parameter={parameter} within="strategy_params" />
          ))}
        </div>
      )}
      <BoxErrors part={part} within="strategy_params" also={["min_clients"]} />
    </div>
  );
}

function About({ strategy: { summary, reference, streams, minimum_updates } }: { strategy: Strategy }) {
  return (
    <p className="dim small">
      {summary} {minimum_updates > 1 && `Needs at least ${plural(minimum_updates, "update")} in a round. `}
      {!streams && "The server keeps all updates of a round in memory. "}
      {reference !== "" && (
        <a href={reference} target="_blank" rel="noreferrer">
          Paper
        </a>
      )}
    </p>
  );
}

function unknownWords(failure: string | null): string {
  return failure === null
    ? "loading the strategy's parameters"
    : `Its parameters could not be loaded, their defaults hold: ${failure}`;
}
