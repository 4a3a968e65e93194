/** The form's kinds of fields. Each has the name that the server gives it. */
import { Button, NumberInput, Switch, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { number } from "../format/format";
import { acrossBox, besideField } from "./errors";
import form from "./StartDialog.module.css";
import { type Parameter, type Typed, valueOf } from "./parameters";
import type { FormPart, Section } from "./useStartForm";
import type { NumberField as NumberFieldName } from "./values";

const ORDER: ("label" | "input" | "error" | "description")[] = ["label", "input", "error", "description"];

interface NumberFieldProps {
  part: FormPart;
  field: NumberFieldName;
  label: string;
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

interface BoxErrorsProps {
  part: FormPart;
  /** The field of the run's spec that the settings of the box stand in. */
  within: "strategy_params" | "run_config";
  /** Fields outside of the box that it speaks for too. */
  also?: readonly NumberFieldName[];
}

/**
 * Complaints that are longer than a field's column is wide, and the one about settings that do not fit each other; that
 * can have the focus, as a field can.
 */
export function BoxErrors({ part, within, also = [] }: BoxErrorsProps) {
  const { [within]: together, ...errors } = part.errors;
  return (
    <>
      {acrossBox(errors, [within, ...also]).map(([field, message]) => (
        <p key={field} className={form.error} role="alert">
          {message}
        </p>
      ))}
      {together !== undefined && (
        <p className={form.error} role="alert" tabIndex={-1} data-invalid="true">
          {together}
        </p>
      )}
    </>
  );
}

interface DisclosureProps {
  part: FormPart;
  section: Section;
  label: string;
  /** What the hidden fields say, in words. */
  summary: string;
  children: ReactNode;
}

/** Fields that are seldom changed: closed, it says what they are set to. */
export function Disclosure({ part, section, label, summary, children }: DisclosureProps) {
  const opened = part.opened[section];
  return (
    <div className={form.more}>
      <div className={form.moreHead}>
        <Button
          variant="subtle"
          size="compact-md"
          px={0}
          aria-expanded={opened}
          aria-controls={section}
          onClick={() => part.open(section, !opened)}
          data-testid={section}
        >
          {opened ? `Hide “${label.toLowerCase()}”` : label}
        </Button>
        {!opened && <span className="dim small">{summary}</span>}
      </div>
      {opened && (
        <div className={form.fields} id={section}>
          {children}
        </div>
      )}
    </div>
  );
}
