import { Button, Modal, NativeSelect, NumberInput, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, type SubmitEvent, useState } from "react";
import { RequestFailed } from "../api/http";
import { createInvitation } from "../api/requests";
import type { InvitationKind, NewInvitation } from "../api/types";
import { useStore } from "../store/store";
import dialog from "../ui/Dialog.module.css";
import styles from "./Enrolment.module.css";
import { InvitationList, INVITATIONS } from "./InvitationList";
import { MadeInvitation } from "./MadeInvitation";
import { FIRST_WISH, hasLimit, isLoopback, KINDS, TIMES, type Wish, wishFor } from "./wish";

interface InviteDialogProps {
  opened: boolean;
  onClose: () => void;
  /** How one joins the mesh on this machine; without, nobody is invited into the mesh. */
  mesh?: ReactNode;
}

/** Invites clients of other machines, and lists who was invited. */
export default function InviteDialog({ opened, onClose, mesh }: InviteDialogProps) {
  const [made, setMade] = useState<NewInvitation | null>(null);
  const close = (): void => {
    setMade(null);
    onClose();
  };
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={mesh === undefined ? "Invite clients" : "Invite clients into the mesh"}
      classNames={{ title: dialog.title ?? "" }}
      closeButtonProps={{ "aria-label": "Close" }}
      size={720}
      centered
    >
      {made === null ? (
        <>
          {mesh}
          <InvitationForm made={setMade} mesh={mesh !== undefined} />
        </>
      ) : (
        <MadeInvitation made={made} mesh={mesh !== undefined} another={() => setMade(null)} />
      )}
      <InvitationList />
    </Modal>
  );
}

interface InvitationFormProps {
  made: (invitation: NewInvitation) => void;
  mesh: boolean;
}

function InvitationForm({ made, mesh }: InvitationFormProps) {
  const here = useStore((state) => isLoopback(state.server.status?.link.host ?? ""));
  const [wish, setWish] = useState<Wish>(() => ({ ...FIRST_WISH, host: here ? "" : location.hostname }));
  const [sending, setSending] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const queries = useQueryClient();
  const change = (changes: Partial<Wish>): void => setWish({ ...wish, ...changes });

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    setSending(true);
    setFailure(null);
    try {
      made(await createInvitation({ ...wishFor(wish), mesh }));
      await queries.invalidateQueries({ queryKey: INVITATIONS });
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      setFailure(error.message);
    } finally {
      setSending(false);
    }
  }

  return (
    <form onSubmit={(event) => void submit(event)} noValidate data-testid="invite-form">
      {here && (
        <p className={dialog.note}>
          This server listens on this machine only, where clients of its user need no invitation. To let
          others in, start it with <code>--host</code>.
        </p>
      )}
      <div className={styles.fields}>
        <NativeSelect
          label="Invitation"
          name="kind"
          value={wish.kind}
          onChange={(event) => change({ kind: event.currentTarget.value as InvitationKind })}
          data={Object.entries(KINDS).map(([value, label]) => ({ value, label }))}
        />
        <TextInput
          label="Address of this server for them"
          name="host"
          value={wish.host}
          onChange={(event) => change({ host: event.currentTarget.value })}
          placeholder={here ? "127.0.0.1" : "name or address"}
        />
        {wish.kind !== "approval" && (
          <>
            <TextInput
              label="For whom"
              name="label"
              value={wish.label}
              onChange={(event) => change({ label: event.currentTarget.value })}
              placeholder="a note for yourself"
            />
            <NativeSelect
              label="Expires after"
              name="expires"
              value={wish.expires}
              onChange={(event) => change({ expires: event.currentTarget.value })}
              data={TIMES.map(([name]) => name)}
            />
          </>
        )}
        {hasLimit(wish.kind) && (
          <NumberInput
            label="At most so many clients"
            name="limit"
            value={wish.limit}
            onChange={(limit) => change({ limit })}
            placeholder="any number"
            min={1}
            allowDecimal={false}
            hideControls
          />
        )}
      </div>
      {failure !== null && (
        <p className={dialog.failure} role="alert" data-testid="invite-failure">
          {failure}
        </p>
      )}
      <div className={dialog.buttons}>
        <Button type="submit" disabled={sending} miw={160} data-testid="invite-submit">
          {sending ? "Making…" : "Make invitation"}
        </Button>
      </div>
    </form>
  );
}
