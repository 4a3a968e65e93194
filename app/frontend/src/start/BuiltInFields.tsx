import { NativeSelect, Switch } from "@mantine/core";
import { RUN_SPEC } from "../api/run-spec";
import type { Strategy } from "../api/types";
import { DATASETS, MODELS } from "../runs/spec-words";
import { useStore } from "../store/store";
import { Disclosure } from "./Disclosure";
import { besideField } from "./errors";
import { NumberField } from "./fields";
import { LateFields } from "./LateFields";
import form from "./StartDialog.module.css";
import { StrategyField, StrategyParameters } from "./StrategyFields";
import type { FormPart } from "./useStartForm";
import { type FormValues, FURTHER_FIELDS } from "./values";
import { cohortNote } from "./words";

interface BuiltInFieldsProps {
  part: FormPart;
  strategies: readonly Strategy[];
  failure: string | null;
}

/** A run of the built-in app. */
export function BuiltInFields({ part, strategies, failure }: BuiltInFieldsProps) {
  const { values } = part;
  const holders = useStore(
    ({ server }) =>
      server.clients.filter((client) => client.state !== "lost" && client.dataset === values.dataset).length,
  );
  return (
    <>
      <div className={form.fields}>
        <ChoiceField part={part} field="dataset" label="Data set" words={DATASETS} />
        <ChoiceField part={part} field="model" label="Model" words={MODELS} />
        <StrategyField part={part} strategies={strategies} />
      </div>
      <StrategyParameters
        part={part}
        strategy={strategies.find(({ name }) => name === values.strategy)}
        failure={failure}
      />
      <div className={form.fields}>
        <NumberField part={part} field="num_rounds" label="Rounds" step={1} />
        <NumberField
          part={part}
          field="min_clients"
          label="Min. clients"
          step={1}
          description={cohortNote(values.dataset, holders, Number(values.min_clients))}
          error={besideField(part.errors.min_clients)}
        />
        <NumberField part={part} field="lr" label="Learning rate" step={0.01} />
        <NumberField part={part} field="local_epochs" label="Local epochs" step={1} />
        <NumberField part={part} field="batch_size" label="Batch size" step={8} />
        <div>
          <NumberField part={part} field="alpha" label="Dirichlet α" step={0.1} disabled={values.iid} />
          <Switch
            label="IID: same for all"
            size="xs"
            mt={8}
            checked={values.iid}
            onChange={(event) => part.change({ iid: event.currentTarget.checked })}
          />
        </div>
        <NumberField part={part} field="seed" label="Seed" step={1} />
      </div>
      <LateFields part={part} />
      <Disclosure part={part} section="advanced" label="Advanced" summary={advancedWords(values)}>
        <NumberField
          part={part}
          field="num_partitions"
          label="Parts of the data"
          step={1}
          description="empty: one per client"
          placeholder="auto"
        />
        <NumberField
          part={part}
          field="fraction_train"
          label="Train fraction"
          step={0.1}
          description="of the clients per round"
        />
        <NumberField
          part={part}
          field="fraction_evaluate"
          label="Evaluate fraction"
          step={0.1}
          description="of the clients per round"
        />
        <NumberField
          part={part}
          field="keep_checkpoints"
          label="Checkpoints kept"
          step={1}
          description="the newest, beside the best"
        />
        {FURTHER_FIELDS.map((field) => (
          <NumberField
            key={field}
            part={part}
            field={field}
            label={<span className="mono">{field}</span>}
            step={1}
            description={RUN_SPEC[field].description}
          />
        ))}
      </Disclosure>
    </>
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

interface ChoiceFieldProps<F extends "dataset" | "model"> {
  part: FormPart;
  field: F;
  label: string;
  words: Record<FormValues[F], string>;
}

function ChoiceField<F extends "dataset" | "model">({ part, field, label, words }: ChoiceFieldProps<F>) {
  return (
    <NativeSelect
      label={label}
      name={field}
      value={part.values[field]}
      onChange={(event) => part.change({ [field]: event.currentTarget.value })}
      data={Object.entries<string>(words).map(([value, text]) => ({ value, label: text }))}
      error={part.errors[field]}
    />
  );
}
