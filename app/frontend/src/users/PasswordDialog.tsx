import { Button, Modal, PasswordInput } from "@mantine/core";
import { useState } from "react";
import { RequestFailed } from "../api/http";
import { changePassword } from "../api/requests";
import dialog from "../ui/Dialog.module.css";
import { SHORTEST_PASSWORD } from "./words";

export function PasswordDialog({ close }: { close: () => void }) {
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const [failure, setFailure] = useState<string | null>(null);
  const send = async (): Promise<void> => {
    setFailure(null);
    try {
      await changePassword(old, fresh);
      close();
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      setFailure(error.message);
    }
  };
  return (
    <Modal
      opened
      onClose={close}
      title="Change password"
      classNames={{ title: dialog.title ?? "" }}
      closeButtonProps={{ "aria-label": "Close" }}
      centered
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <PasswordInput
          label="present password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          data-autofocus
          value={old}
          onChange={(event) => setOld(event.currentTarget.value)}
        />
        <PasswordInput
          mt={16}
          label={`new password, ${SHORTEST_PASSWORD} characters or more`}
          description="You are logged out everywhere else."
          autoComplete="new-password"
          required
          withAsterisk={false}
          value={fresh}
          onChange={(event) => setFresh(event.currentTarget.value)}
        />
        {failure !== null && (
          <p className={dialog.failure} role="alert">
            {failure}
          </p>
        )}
        <div className={dialog.buttons}>
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit">Change password</Button>
        </div>
      </form>
    </Modal>
  );
}
