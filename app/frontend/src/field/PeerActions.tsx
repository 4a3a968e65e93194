import { Button } from "@mantine/core";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import type { PeerAction } from "./actions";
import { useAction } from "./useAction";
import { ACTIONS } from "./words";

/** Something to be done about a node. */
export interface Wish {
  action: PeerAction;
  peer: { key: string; name: string };
}

interface ActionButtonProps {
  wish: Wish;
  /** Asks whether it is meant. */
  ask: (wish: Wish) => void;
  /** In a list, beside others. */
  small?: boolean;
}

export function ActionButton({ wish, ask, small = false }: ActionButtonProps) {
  const words = ACTIONS[wish.action];
  return (
    <Button
      {...(wish.action === "block" ? { color: "bad" } : { variant: "default" })}
      size={small ? "compact-sm" : "sm"}
      onClick={() => ask(wish)}
      aria-label={`${words.title(wish.peer.name).replace("?", "")}…`}
      data-testid={`peer-${wish.action}`}
    >
      {words.confirm}…
    </Button>
  );
}

/** The question before something is done, which names what comes of it. */
export function ActionQuestion({ wish: { action, peer }, close }: { wish: Wish; close: () => void }) {
  const { taken, give } = useAction(action, peer.key);
  const words = ACTIONS[action];
  return (
    <ConfirmDialog
      opened
      close={close}
      title={words.title(peer.name)}
      consequence={words.consequence(peer.name)}
      keep="Leave it as it is"
      confirm={words.confirm}
      busy={words.busy}
      taken={taken}
      give={give}
      testId={`peer-${action}`}
    />
  );
}
