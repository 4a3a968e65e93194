import { Button } from "@mantine/core";
import styles from "./CommandButton.module.css";

interface CommandButtonProps {
  label: string;
  /** What it says once it was pressed. */
  busy: string;
  taken: boolean;
  press: () => void;
  title?: string;
  testId: string;
}

/** A button of the run bar. While its command is on its way it keeps the focus, unlike one that is disabled. */
export function CommandButton({ label, busy, taken, press, title, testId }: CommandButtonProps) {
  return (
    <Button
      variant="default"
      size="compact-md"
      className={styles.command ?? ""}
      aria-disabled={taken}
      data-disabled={taken}
      onClick={() => {
        if (!taken) press();
      }}
      title={title}
      data-testid={testId}
    >
      {taken ? busy : label}
    </Button>
  );
}
