import { Button, NativeSelect, NumberInput, Switch } from "@mantine/core";
import dialog from "../components/Dialog.module.css";
import { DATASETS, MODELS, STRATEGIES } from "../components/run-words";
import type { Field, FieldErrors, FormValues } from "./values";

interface StartFieldsProps {
  values: FormValues;
  errors: FieldErrors;
  change: (changes: Partial<FormValues>) => void;
  /** How many clients are there for it. */
  cohort: string;
  advanced: boolean;
  setAdvanced: (open: boolean) => void;
}

interface Extra {
  description?: string;
  placeholder?: string;
  disabled?: boolean;
}

type NumberField = Exclude<Field, "dataset" | "model" | "strategy">;
type ChoiceField = "dataset" | "model" | "strategy";

export function StartFields({ values, errors, change, cohort, advanced, setAdvanced }: StartFieldsProps) {
  const number = (field: NumberField, label: string, step: number, extra: Extra = {}) => (
    <NumberInput
      label={label}
      name={field}
      value={values[field]}
      onChange={(value) => change({ [field]: value })}
      error={errors[field]}
      step={step}
      clampBehavior="none"
      inputWrapperOrder={["label", "input", "error", "description"]}
      hideControls
      {...extra}
    />
  );
  const choice = <F extends ChoiceField>(field: F, label: string, words: Record<FormValues[F], string>) => (
    <NativeSelect
      label={label}
      name={field}
      value={values[field]}
      onChange={(event) => change({ [field]: event.currentTarget.value })}
      data={Object.entries<string>(words).map(([value, text]) => ({ value, label: text }))}
      error={errors[field]}
    />
  );
  return (
    <>
      <div className={dialog.fields}>
        {choice("dataset", "Data set", DATASETS)}
        {choice("model", "Model", MODELS)}
        {number("num_rounds", "Rounds", 1)}
        {number("min_clients", "Min. clients", 1, { description: cohort })}
        <div>
          {number("alpha", "Dirichlet α", 0.1, { disabled: values.iid })}
          <Switch
            label="IID: the same mix for all"
            size="xs"
            mt={8}
            checked={values.iid}
            onChange={(event) => change({ iid: event.currentTarget.checked })}
          />
        </div>
        {number("lr", "Learning rate", 0.01)}
        {number("local_epochs", "Local epochs", 1)}
        {number("batch_size", "Batch size", 8)}
        {number("seed", "Seed", 1)}
      </div>
      <div className={dialog.more}>
        <Button
          variant="subtle"
          size="compact-md"
          px={0}
          aria-expanded={advanced}
          aria-controls="advanced"
          onClick={() => setAdvanced(!advanced)}
          data-testid="advanced"
        >
          {advanced ? "Hide advanced" : "Advanced"}
        </Button>
        {advanced && (
          <div className={`${dialog.fields} ${dialog.four}`} id="advanced">
            {choice("strategy", "Strategy", STRATEGIES)}
            {number("num_partitions", "Parts of the data", 1, {
              description: "empty: one per client",
              placeholder: "auto",
            })}
            {number("fraction_train", "Train fraction", 0.1, { description: "of the clients per round" })}
            {number("fraction_evaluate", "Evaluate fraction", 0.1, { description: "of the clients per round" })}
          </div>
        )}
      </div>
    </>
  );
}
