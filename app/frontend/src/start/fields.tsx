/** The form's kinds of fields. Each has the name that the server gives it. */
import { NumberInput, Switch, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { number } from "../format/format";
import { besideField } from "./errors";
import { type Parameter, type Typed, valueOf } from "./parameters";
import form from "./StartDialog.module.css";
import type { FormPart } from "./useStartForm";
import type { NumberField as NumberFieldName } from "./values";

const ORDER: ("label" | "input" | "error" | "description")[] = ["label", "input", "error", "description"];

interface NumberFieldProps {
  part: FormPart;
  field: NumberFieldName;
  label: ReactNode;
  step: number;
  description?: string;
  placeholder?: string;
  disabled?: boolean;
  /** In place of the field's own. */
  error?: string | boolean | undefined;
}

export function NumberField({ part, field, label, step, ...extra }: NumberFieldProps) {
  return (
    <NumberInput
      label={label}
      name={field}
      value={part.values[field]}
      onChange={(value) => part.change({ [field]: value })}
      error={part.errors[field]}
      step={step}
      clampBehavior="none"
      inputWrapperOrder={ORDER}
      hideControls
      {...extra}
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
