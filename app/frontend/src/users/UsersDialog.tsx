import { Modal } from "@mantine/core";
import dialog from "../ui/Dialog.module.css";
import { TokenPart } from "./TokenPart";
import { UserPart } from "./UserPart";

/** Who may log in and as what, and what programs show in place of a password. */
export default function UsersDialog({ close }: { close: () => void }) {
  return (
    <Modal
      opened
      onClose={close}
      title="Users and tokens"
      classNames={{ title: dialog.title ?? "" }}
      closeButtonProps={{ "aria-label": "Close" }}
      size={680}
      centered
    >
      <UserPart />
      <TokenPart />
    </Modal>
  );
}
