import { Button } from "@mantine/core";
import type { NewInvitation } from "../api/types";
import { CopyCommand } from "../ui/CopyCommand";
import dialog from "../ui/Dialog.module.css";
import styles from "./Enrolment.module.css";

/** An invitation as it is handed out: its secret is here and nowhere else. */
export function MadeInvitation({ made, another }: { made: NewInvitation; another: () => void }) {
  return (
    <div data-testid="invitation-made">
      <div className={styles.made}>
        <div>
          <p>
            {made.invitation === null
              ? "Whoever joins by this waits here until you approve them."
              : "Send this to the site that you invite, and to nobody else: whoever has it can join. It is shown this once."}
          </p>
          <CopyCommand command={made.text} testId="invitation-text" />
          <p>On the other machine, in a folder with FedLoom, under a name of its own:</p>
          <CopyCommand command={made.command} testId="invitation-command" />
        </div>
        <img
          className={styles.qr}
          src={`data:image/svg+xml;utf8,${encodeURIComponent(made.qr)}`}
          alt="the invitation as QR code, for --invite-qr"
        />
      </div>
      <div className={dialog.buttons}>
        <Button variant="default" onClick={another}>
          Another one
        </Button>
      </div>
    </div>
  );
}
