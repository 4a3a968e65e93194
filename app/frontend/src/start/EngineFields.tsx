import { ENGINES, engineWords } from "../runs/engine-words";
import { Disclosure } from "./Disclosure";
import { ChoiceField, NumberField } from "./fields";
import { parse } from "./parameters";
import { choicesIn, numbersIn } from "./spec-fields";
import type { FormPart } from "./useStartForm";

/** What carries the run to its clients. */
export function EngineFields({ part }: { part: FormPart }) {
  const { engine, simulated_clients } = part.values;
  const clients = parse(simulated_clients) ?? 0;
  return (
    <Disclosure
      part={part}
      section="engine"
      label="Engine"
      summary={engineWords({ engine, simulated_clients: clients }) ?? ENGINES.embedded}
    >
      {choicesIn("engine").map((field) => (
        <ChoiceField key={field} part={part} field={field} titleOf={(value) => titleOf(value)} />
      ))}
      {engine === "simulation" &&
        numbersIn("engine").map((field) => <NumberField key={field} part={part} field={field} />)}
    </Disclosure>
  );
}

function titleOf(value: string): string {
  return ENGINES[value as keyof typeof ENGINES];
}
