import { type ReactNode, useState } from "react";
import { ConfirmDialog, type ConfirmDialogProps } from "./ConfirmDialog";

interface AskedProps extends Omit<ConfirmDialogProps, "opened" | "close"> {
  /** What is pressed: it has the question asked. */
  button: (ask: () => void) => ReactNode;
}

/** A button for what is done after a question. */
export function Asked({ button, ...question }: AskedProps) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      {button(() => setAsking(true))}
      <ConfirmDialog opened={asking} close={() => setAsking(false)} {...question} />
    </>
  );
}
