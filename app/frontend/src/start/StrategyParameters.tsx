import type { Strategy } from "../api/types";
import { plural } from "../format/format";
import { BoxErrors } from "./BoxErrors";
import { ParameterField } from "./fields";
import { ofStrategy } from "./parameters";
import form from "./Form.module.css";
import type { FormPart } from "./useStartForm";

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
