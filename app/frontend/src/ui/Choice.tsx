import type { ReactNode } from "react";
import styles from "./Choice.module.css";

interface ChoiceProps<Option extends string> {
  label: string;
  options: readonly Option[];
  chosen: Option;
  change: (option: Option) => void;
  testId: string;
  /** What an option is called, if not as it is. */
  words?: (option: Option) => string;
  /** Stands behind an option's name. */
  beside?: (option: Option) => ReactNode;
}

/** One of a few, all in sight. */
export function Choice<Option extends string>({
  label,
  options,
  chosen,
  change,
  testId,
  words,
  beside,
}: ChoiceProps<Option>) {
  return (
    <div className={styles.choice} role="group" aria-label={label}>
      {options.map((option) => (
        <button
          key={option}
          type="button"
          className={styles.option}
          aria-pressed={option === chosen}
          onClick={() => change(option)}
          data-testid={`${testId}-${option}`}
        >
          {words?.(option) ?? option}
          {beside !== undefined && <> {beside(option)}</>}
        </button>
      ))}
    </div>
  );
}
