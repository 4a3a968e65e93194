import { Button, Modal } from "@mantine/core";
import { type ReactNode, useState } from "react";
import dialog from "./Dialog.module.css";

export interface ConfirmDialogProps {
  opened: boolean;
  close: () => void;
  title: string;
  consequence: string;
  keep: string;
  confirm: string;
  busy: string;
  taken: boolean;
  /** Resolves to why it was not done, or null. */
  give: () => Promise<string | null>;
  testId: string;
  /** What else is asked. */
  children?: ReactNode;
}

/** Asks before something is lost, in words that name what. Stays open when the server refuses, and says why. */
export function ConfirmDialog({
  opened,
  close,
  title,
  consequence,
  keep,
  confirm,
  busy,
  taken,
  give,
  testId,
  children,
}: ConfirmDialogProps) {
  const [failure, setFailure] = useState<string | null>(null);

  const leave = (): void => {
    setFailure(null);
    close();
  };
  const carryOut = async (): Promise<void> => {
    const refusal = await give();
    if (refusal === null) leave();
    else setFailure(refusal);
  };
  return (
    <Modal
      opened={opened}
      onClose={leave}
      title={title}
      classNames={{ title: dialog.title ?? "" }}
      closeButtonProps={{ "aria-label": "Close" }}
      centered
    >
      <p data-testid={`${testId}-consequence`}>{consequence}</p>
      {children}
      {failure !== null && (
        <p className={dialog.failure} role="alert">
          {failure}
        </p>
      )}
      <div className={dialog.buttons}>
        <Button variant="default" onClick={leave} data-autofocus>
          {keep}
        </Button>
        <Button
          color="bad"
          onClick={() => void carryOut()}
          disabled={taken}
          data-testid={`${testId}-confirm`}
        >
          {taken ? busy : confirm}
        </Button>
      </div>
    </Modal>
  );
}
