import { Switch } from "@mantine/core";
import type { Strategy } from "../api/types";
import { DATASETS, MODELS } from "../runs/spec-words";
import { useStore } from "../store/store";
import { Disclosure } from "./Disclosure";
import { besideField } from "./errors";
import { ChoiceField, NumberField, SwitchField } from "./fields";
import { EngineFields } from "./EngineFields";
import { LateFields } from "./LateFields";
import { PrivacyFields } from "./PrivacyFields";
import { type ChoiceName, choicesIn, formOf, type NumberName, numbersIn, SWITCHES } from "./spec-fields";
import form from "./Form.module.css";
import { StrategyParameters } from "./StrategyParameters";
import type { FormPart } from "./useStartForm";
import type { FormValues } from "./values";
import { cohortNote } from "./words";

interface BuiltInFieldsProps {
  part: FormPart;
  strategies: readonly Strategy[];
  failure: string | null;
}

/** A run of the built-in app. */
export function BuiltInFields({ part, strategies, failure }: BuiltInFieldsProps) {
  const { values } = part;
  const strategy = strategies.find(({ name }) => name === values.strategy);
  return (
    <>
      <div className={form.fields}>
        {choicesIn("main").map((field) => (
          <ChoiceField
            key={field}
            part={part}
            field={field}
            titleOf={(value) => titleOf(field, value, strategies)}
          />
        ))}
      </div>
      <StrategyParameters part={part} strategy={strategy} failure={failure} />
      <div className={form.fields}>
        {numbersIn("main").map((field) => (
          <MainField key={field} part={part} field={field} />
        ))}
      </div>
      <LateFields part={part} />
      <PrivacyFields part={part} />
      <Disclosure part={part} section="advanced" label="Advanced" summary={advancedWords(values)}>
        {numbersIn("advanced").map((field) => (
          <NumberField key={field} part={part} field={field} />
        ))}
        {SWITCHES.map((field) => (
          <SwitchField
            key={field}
            part={part}
            field={field}
            disabled={field === "stop_at_first_budget" && !values.groups.dp.on}
          />
        ))}
      </Disclosure>
      <EngineFields part={part} />
    </>
  );
}

/** Of choices that the server has no titles for. */
const TITLES: Partial<Record<ChoiceName, Partial<Record<string, string>>>> = {
  dataset: DATASETS,
  model: MODELS,
};

function titleOf(field: ChoiceName, value: string, strategies: readonly Strategy[]): string {
  const title =
    field === "strategy" ? strategies.find(({ name }) => name === value)?.title : TITLES[field]?.[value];
  return title ?? value;
}

function MainField({ part, field }: { part: FormPart; field: NumberName }) {
  switch (field) {
    case "min_clients":
      return <MinClients part={part} />;
    case "alpha":
      return <Alpha part={part} />;
    default:
      return <NumberField part={part} field={field} />;
  }
}

/** Says below whether enough clients are there. */
function MinClients({ part }: { part: FormPart }) {
  const { dataset, engine, min_clients } = part.values;
  const holders = useStore(
    ({ server }) =>
      server.clients.filter((client) => client.state !== "lost" && client.dataset === dataset).length,
  );
  return (
    <NumberField
      part={part}
      field="min_clients"
      {...(engine === "embedded" && { description: cohortNote(dataset, holders, Number(min_clients)) })}
      error={besideField(part.errors.min_clients)}
    />
  );
}

function Alpha({ part }: { part: FormPart }) {
  return (
    <div>
      <NumberField part={part} field="alpha" disabled={part.values.iid} />
      <Switch
        label={formOf("alpha").null}
        size="xs"
        mt={8}
        checked={part.values.iid}
        onChange={(event) => part.change({ iid: event.currentTarget.checked })}
      />
    </div>
  );
}

function advancedWords({
  num_partitions,
  fraction_train,
  fraction_evaluate,
  keep_checkpoints,
}: FormValues): string {
  const parts =
    num_partitions === "" ? "one part of the data per client" : `${num_partitions} parts of the data`;
  return `${parts}, fractions ${fraction_train} and ${fraction_evaluate}, ${keep_checkpoints} checkpoints kept`;
}
