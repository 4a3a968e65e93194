import { Button, Modal } from "@mantine/core";
import { useState } from "react";
import { span } from "../format/format";
import { useStore } from "../store/store";
import { CopyCommand } from "../ui/CopyCommand";
import dialog from "../ui/Dialog.module.css";
import withQr from "../ui/WithQr.module.css";
import { invite, type MadeInvitation, withdraw } from "./actions";
import { type ClientStatus, NoStatus } from "./status";

/** Invites one node that no server vouches for: the person beside this client decides on that. */
export function InviteNode({ invitation }: Pick<ClientStatus, "invitation">) {
  const [opened, setOpened] = useState(false);
  const [made, setMade] = useState<MadeInvitation | null>(null);
  const [failure, setFailure] = useState<string | null>(null);

  async function make(): Promise<void> {
    setOpened(true);
    setMade(null);
    setFailure(null);
    try {
      setMade(await invite());
    } catch (error) {
      if (!(error instanceof NoStatus)) throw error;
      setFailure(error.message);
    }
  }

  async function takeBack(): Promise<void> {
    const refusal = await withdraw();
    setFailure(refusal);
    if (refusal === null) setOpened(false);
  }

  return (
    <>
      <Button variant="default" size="compact-sm" onClick={() => void make()} data-testid="invite-node">
        Invite a node…
      </Button>
      <Modal
        opened={opened}
        onClose={() => setOpened(false)}
        title="Invite a node"
        classNames={{ title: dialog.title ?? "" }}
        closeButtonProps={{ "aria-label": "Close" }}
        size={720}
        centered
      >
        {failure !== null && (
          <p className={dialog.failure} role="alert">
            {failure}
          </p>
        )}
        {made !== null && <Made made={made} paired={invitation?.paired ?? null} />}
        <div className={dialog.buttons}>
          {made !== null && invitation?.paired == null && (
            <Button variant="default" onClick={() => void takeBack()} data-testid="invitation-withdraw">
              Take it back
            </Button>
          )}
          <Button onClick={() => setOpened(false)} variant="default">
            Close
          </Button>
        </div>
      </Modal>
    </>
  );
}

interface MadeProps {
  made: MadeInvitation;
  /** Who has come by it. */
  paired: { name: string; code: string } | null;
}

function Made({ made, paired }: MadeProps) {
  return (
    <div className={withQr.both} data-testid="node-invitation">
      <div>
        <p>
          For a node that the server does not vouch for. Hand it over so that nobody else reads it: whoever
          has it can be paired with this client. It is good for one node and shown this once.
        </p>
        <CopyCommand command={made.text} testId="node-invitation-text" />
        <p>
          On the other machine: <code>python -m mesh join INVITATION</code>, <code>--mesh-join</code> of a
          client, or <b>Join a node</b> on its page.
        </p>
        {made.only_here && (
          <p className={dialog.note}>
            This client listens on this machine alone, so that nodes of other machines cannot come. Start it
            with --mesh-interface.
          </p>
        )}
        <p role="status" data-testid="node-invitation-state">
          {paired === null ? <Left expires={made.expires} /> : <Came paired={paired} />}
        </p>
      </div>
      <img
        className={withQr.qr}
        src={`data:image/svg+xml;utf8,${encodeURIComponent(made.qr)}`}
        alt="the invitation as QR code, whose picture python -m mesh join takes"
      />
    </div>
  );
}

function Left({ expires }: { expires: number }) {
  const now = useStore((state) => state.now);
  const left = expires - now;
  return left > 0 ? <>Waiting for it: {span(left)} left.</> : <>It has expired unused. Make another.</>;
}

function Came({ paired: { name, code } }: { paired: { name: string; code: string } }) {
  return (
    <>
      {name} has come. Check code: <strong className="mono">{code}</strong>. If it shows another code, block
      it at once.
    </>
  );
}
