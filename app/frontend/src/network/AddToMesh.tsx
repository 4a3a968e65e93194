import { Button, Modal } from "@mantine/core";
import { lazy, Suspense, useState } from "react";
import { loadInviteDialog } from "../enrolment/load";
import { useMay } from "../login/who";
import dialog from "../ui/Dialog.module.css";
import { JoinMesh } from "./JoinMesh";

const InviteDialog = lazy(loadInviteDialog);

/** How one more client comes into the mesh: on this machine by a command, elsewhere by an invitation. */
export function AddToMesh() {
  const [opened, setOpened] = useState(false);
  const mayInvite = useMay("admin");
  const close = (): void => setOpened(false);
  return (
    <>
      <Button variant="default" size="compact-sm" onClick={() => setOpened(true)} data-testid="mesh-add">
        {mayInvite ? "Invite…" : "Add a client…"}
      </Button>
      {opened &&
        (mayInvite ? (
          <Suspense fallback={null}>
            <InviteDialog opened onClose={close} mesh={<Here />} />
          </Suspense>
        ) : (
          <Modal
            opened
            onClose={close}
            title="One more client in the mesh"
            classNames={{ title: dialog.title ?? "" }}
            closeButtonProps={{ "aria-label": "Close" }}
            size={720}
            centered
          >
            <Here />
            <p className="dim">For one on another machine, ask an administrator for an invitation.</p>
          </Modal>
        ))}
    </>
  );
}

function Here() {
  return (
    <div className={dialog.note}>
      <p>On this machine, in a terminal:</p>
      <JoinMesh />
    </div>
  );
}
