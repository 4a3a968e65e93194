import { acrossBox } from "./errors";
import type { GroupName, NumberName } from "./spec-fields";
import form from "./Form.module.css";
import type { FormPart } from "./useStartForm";

interface BoxErrorsProps {
  part: FormPart;
  /** The field of the run's spec that the settings of the box stand in. */
  within: "strategy_params" | "run_config" | GroupName;
  /** Fields outside of the box that it speaks for too. */
  also?: readonly NumberName[];
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
