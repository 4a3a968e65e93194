import { Button } from "@mantine/core";
import type { NewInvitation } from "../api/types";
import { CopyCommand } from "../ui/CopyCommand";
import dialog from "../ui/Dialog.module.css";
import withQr from "../ui/WithQr.module.css";
import { InvitationQr } from "./InvitationQr";

interface MadeInvitationProps {
  made: NewInvitation;
  /** Whether it is for a client in the mesh. */
  mesh: boolean;
  another: () => void;
}

/** An invitation as it is handed out: its secret is here and nowhere else. */
export function MadeInvitation({ made, mesh, another }: MadeInvitationProps) {
  return (
    <div data-testid="invitation-made">
      <div className={withQr.both}>
        <div>
          <p>
            {made.invitation === null
              ? "Whoever joins by this waits here until you approve them."
              : "Send this to the site that you invite, and to nobody else: whoever has it can join. It is shown this once."}
          </p>
          <CopyCommand command={made.text} testId="invitation-text" />
          <p>On the other machine, in a folder with FedLoom, under a name of its own:</p>
          <CopyCommand command={made.command} testId="invitation-command" />
          {mesh && (
            <p className="dim small">
              Once it has joined, this server vouches for it, and the other clients in the mesh connect with
              it by themselves.
            </p>
          )}
        </div>
        <InvitationQr made={made} />
      </div>
      <div className={dialog.buttons}>
        <Button variant="default" onClick={another}>
          Another one
        </Button>
      </div>
    </div>
  );
}
