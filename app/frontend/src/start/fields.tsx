/** The form's kinds of fields. Each has the name that the server gives it. */
import { NativeSelect, NumberInput, Switch, TextInput } from "@mantine/core";
import { RUN_SPEC } from "../api/run-spec";
import { number } from "../format/format";
import { besideField } from "./errors";
import { type Parameter, type Typed, valueOf } from "./parameters";
import { type ChoiceName, formOf, type NumberName, type SwitchName } from "./spec-fields";
import form from "./Form.module.css";
import type { FormPart } from "./useStartForm";

export const ORDER: ("label" | "input" | "error" | "description")[] = [
  "label",
  "input",
  "error",
  "description",
];

interface NumberFieldProps {
  part: FormPart;
  field: NumberName;
  /** In place of what the server says of the field. */
  description?: string;
  disabled?: boolean;
  /** In place of the field's own. */
  error?: string | boolean | undefined;
}

export function NumberField({ part, field, ...extra }: NumberFieldProps) {
  const { title, step = 1, hint, null: empty = "" } = formOf(field);
  return (
    <NumberInput
      label={title}
      name={field}
      value={part.values[field]}
      onChange={(value) => part.change({ [field]: value })}
      error={part.errors[field]}
      description={hint}
      placeholder={empty}
      step={step}
      clampBehavior="none"
      inputWrapperOrder={ORDER}
      hideControls
      {...extra}
    />
  );
}

interface SwitchFieldProps {
  part: FormPart;
  field: SwitchName;
  disabled?: boolean;
}

/** One that is disabled is off, and has what it was when it no longer is. */
export function SwitchField({ part, field, disabled = false }: SwitchFieldProps) {
  const { title, hint } = formOf(field);
  return (
    <Switch
      label={title}
      name={field}
      description={hint}
      checked={part.values[field] && !disabled}
      disabled={disabled}
      onChange={(event) => part.change({ [field]: event.currentTarget.checked })}
    />
  );
}

interface ChoiceFieldProps {
  part: FormPart;
  field: ChoiceName;
  /** How people call a choice. */
  titleOf: (value: string) => string;
}

export function ChoiceField({ part, field, titleOf }: ChoiceFieldProps) {
  return (
    <NativeSelect
      className={field === "strategy" ? (form.wide ?? "") : ""}
      label={formOf(field).title}
      name={field}
      value={part.values[field]}
      onChange={(event) => part.change({ [field]: event.currentTarget.value })}
      data={RUN_SPEC[field].choices.map((value) => ({ value, label: titleOf(value) }))}
      error={part.errors[field]}
    />
  );
}

interface ParameterFieldProps {
  part: FormPart;
  parameter: Parameter;
  /** The field of the run's spec that the parameter stands in. */
  within: "strategy_params" | "run_config";
}

/** A setting whose name and type the server told. */
export function ParameterField({ part, parameter, within }: ParameterFieldProps) {
  const { name, type, hint } = parameter;
  const field = `${within}.${name}`;
  const value = valueOf(parameter, part.parameters);
  const change = (to: Typed | boolean): void => part.changeParameter(name, to);
  const same = {
    label: <span className="mono">{name}</span>,
    name: field,
    description: hintWords(parameter),
    error: besideField(part.errors[field]),
  };
  if (type === "boolean") {
    return (
      <Switch
        {...same}
        size="xs"
        className={form.switch ?? ""}
        checked={value === true}
        onChange={(event) => change(event.currentTarget.checked)}
      />
    );
  }
  if (type === "text") {
    return (
      <TextInput
        {...same}
        inputWrapperOrder={ORDER}
        value={String(value)}
        onChange={(event) => change(event.currentTarget.value)}
      />
    );
  }
  return (
    <NumberInput
      {...same}
      value={typeof value === "boolean" ? "" : value}
      onChange={change}
      placeholder={parameter.default === null ? "chosen by the server" : ""}
      allowDecimal={type !== "integer"}
      clampBehavior="none"
      inputWrapperOrder={ORDER}
      hideControls
      title={hint}
    />
  );
}

function hintWords({ hint, default: value }: Parameter): string {
  const standard =
    typeof value === "number"
      ? `default ${number(value)}`
      : typeof value === "string"
        ? `default “${value}”`
        : "";
  return [hint, standard].filter((words) => words !== "").join("; ");
}
