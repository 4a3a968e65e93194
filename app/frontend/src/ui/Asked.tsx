import type { ReactNode } from "react";
import { ConfirmDialog, type ConfirmDialogProps } from "./ConfirmDialog";
import { useOpened } from "./useOpened";

interface AskedProps extends Omit<ConfirmDialogProps, "opened" | "close"> {
  /** What is pressed: it has the question asked. */
  button: (ask: () => void) => ReactNode;
}

/** A button for what is done after a question. */
export function Asked({ button, ...question }: AskedProps) {
  const { made, opened, open, close } = useOpened();
  return (
    <>
      {button(open)}
      {made && <ConfirmDialog opened={opened} close={close} {...question} />}
    </>
  );
}
