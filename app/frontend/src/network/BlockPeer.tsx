import { Button, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { blockInMesh, unblockInMesh } from "../api/requests";
import { useCommand } from "../runs/useCommand";
import { Asked } from "../ui/Asked";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import type { Blocked, NetworkNode } from "./network";
import { MESH } from "./useMeshNodes";

/** The question before the server vouches for a client no more: it names what comes of it. */
export function BlockQuestion({
  node,
  close,
}: {
  node: Pick<NetworkNode, "id" | "name">;
  close: () => void;
}) {
  const [reason, setReason] = useState("");
  const queries = useQueryClient();
  const { taken, give } = useCommand(async () => {
    await blockInMesh(node.id, reason.trim());
    await queries.invalidateQueries({ queryKey: [MESH] });
  }, node.id);
  return (
    <ConfirmDialog
      opened
      close={close}
      title={`Block ${node.name} in the mesh?`}
      consequence={
        `This server vouches for ${node.name} no more: within seconds the other clients end their links to it ` +
        "and take nothing from it, unless their own people have paired it. It stays a client of this server " +
        "and in its runs; while the server is away, it is on its own."
      }
      keep="Keep it in"
      confirm="Block"
      busy="Blocking…"
      taken={taken}
      give={give}
      testId="mesh-block"
    >
      <TextInput
        mt={16}
        label="Why"
        name="reason"
        value={reason}
        maxLength={200}
        onChange={(event) => setReason(event.currentTarget.value)}
        placeholder="for whoever looks later"
      />
    </ConfirmDialog>
  );
}

/** Has the server vouch for a client again. */
export function UnblockPeer({ blocked }: { blocked: Blocked }) {
  const queries = useQueryClient();
  const { taken, give } = useCommand(async () => {
    await unblockInMesh(blocked.key);
    await queries.invalidateQueries({ queryKey: [MESH] });
  }, blocked.key);
  return (
    <Asked
      button={(ask) => (
        <Button
          variant="default"
          size="compact-sm"
          onClick={ask}
          disabled={taken}
          aria-label={`Let in again… ${blocked.name}`}
          data-testid="mesh-unblock"
        >
          Let in again…
        </Button>
      )}
      title={`Let ${blocked.name} in again?`}
      consequence={
        `This server vouches for ${blocked.name} again: within seconds the other clients connect with it, and ` +
        "average with it when the server is away, where their sites' policies allow it."
      }
      keep="Keep it out"
      confirm="Let in"
      busy="Letting in…"
      taken={taken}
      give={give}
      testId="mesh-unblock"
    />
  );
}
