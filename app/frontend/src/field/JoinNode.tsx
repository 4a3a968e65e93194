import { Button, Modal, Textarea } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import dialog from "../ui/Dialog.module.css";
import { join } from "./actions";
import type { ClientStatus } from "./status";

type Standing = Pick<ClientStatus, "joining">;

/** Has this client come by an invitation of another node: whom it trusts, the person beside it decides. */
export function JoinNode({ joining }: Standing) {
  const [opened, setOpened] = useState(false);
  const [text, setText] = useState("");
  const [asked, setAsked] = useState(false);
  const [refused, setRefused] = useState<string | null>(null);
  const picture = useRef<HTMLInputElement>(null);
  const queries = useQueryClient();
  const isOnItsWay = asked && joining !== null && joining.paired === null && joining.problem === null;

  async function come(invitation: string | File): Promise<void> {
    setAsked(false);
    const refusal = await join(invitation);
    setRefused(refusal);
    if (refusal !== null) return;
    await queries.invalidateQueries({ queryKey: ["status"] });
    setAsked(true);
  }
  function open(): void {
    setText("");
    setAsked(false);
    setRefused(null);
    setOpened(true);
  }

  return (
    <>
      <Button variant="default" size="compact-sm" onClick={open} data-testid="join-node">
        Join a node…
      </Button>
      <Modal
        opened={opened}
        onClose={() => setOpened(false)}
        title="Join a node that invites this client"
        classNames={{ title: dialog.title ?? "" }}
        closeButtonProps={{ "aria-label": "Close" }}
        size={560}
        centered
      >
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void come(text);
          }}
        >
          <Textarea
            label="Invitation"
            description="what the other node shows: it begins with fedmesh://"
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            rows={3}
            spellCheck={false}
            data-autofocus
            data-testid="join-text"
          />
          <input
            ref={picture}
            type="file"
            accept="image/png,image/jpeg"
            hidden
            aria-label="picture of the invitation's code"
            data-testid="join-picture"
            onChange={(event) => {
              const file = event.currentTarget.files?.[0];
              event.currentTarget.value = "";
              if (file !== undefined) void come(file);
            }}
          />
          {refused !== null && (
            <p className={dialog.failure} role="alert">
              {refused}
            </p>
          )}
          <p role="status" data-testid="join-state">
            {asked && refused === null && <Outcome joining={joining} />}
          </p>
          <div className={dialog.buttons}>
            <Button variant="default" disabled={isOnItsWay} onClick={() => picture.current?.click()}>
              Choose a picture of its code…
            </Button>
            <Button type="submit" disabled={isOnItsWay || text.trim() === ""} data-testid="join-submit">
              {isOnItsWay ? "Joining" : "Join"}
            </Button>
          </div>
        </form>
      </Modal>
    </>
  );
}

function Outcome({ joining }: Standing) {
  if (joining === null) return null;
  const { paired, problem } = joining;
  if (problem !== null) return <>It has not come to that. {problem}</>;
  if (paired === null) return <>The other node is asked…</>;
  return (
    <>
      Paired with {paired.name}. Check code: <strong className="mono">{paired.code}</strong>. If it shows
      another code, unpair it at once.
    </>
  );
}
