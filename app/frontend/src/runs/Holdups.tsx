import { Button, Popover } from "@mantine/core";
import { useMemo } from "react";
import { goOnWithout } from "../api/requests";
import type { Client, Run } from "../api/types";
import { holdupsOf, isMissing } from "../clients/blockers";
import { RestartCommands } from "../clients/RestartCommands";
import { useJoinCommand } from "../clients/useJoinCommand";
import { plural } from "../format/format";
import { shownRounds, useStore } from "../store/store";
import { useMay } from "../login/who";
import { CommandButton } from "../ui/CommandButton";
import styles from "./RunBar.module.css";
import { useCommand } from "./useCommand";

interface HoldupsProps {
  run: Run;
  /** Tells why a command was not taken; null when another is given. */
  refused: (reason: string | null) => void;
}

/** What can be done about those who hold up the round: go on without them, start them again. */
export function Holdups({ run, refused }: HoldupsProps) {
  const mayRun = useMay("operator");
  // Who is slow changes with the second: this is drawn anew only when somebody is, or is not any more.
  const waits = useStore(
    (state) => holdupsOf(run, state.server.clients, shownRounds(state), state.now).slow.length > 0,
  );
  const clients = useStore((state) => state.server.clients);
  const lost = useMemo(() => clients.filter((client) => isMissing(client, run)), [clients, run]);
  return (
    <>
      {mayRun && waits && run.progress !== null && <GoOn run={run} refused={refused} />}
      {lost.length > 0 && <StartLost lost={lost} />}
    </>
  );
}

function GoOn({ run, refused }: HoldupsProps) {
  const phase = run.progress?.phase ?? "training";
  const { taken, give } = useCommand(
    () => goOnWithout(run.id, run.round, phase),
    `${run.id} ${run.round} ${phase} ${run.progress?.done}`,
  );
  const press = async (): Promise<void> => {
    refused(null);
    refused(await give());
  };
  return (
    <CommandButton
      label="Go on without them"
      busy="Going on…"
      taken={taken}
      press={() => void press()}
      title="the round takes what has come, as at its deadline; who is missing is late"
      testId="go-on"
    />
  );
}

function StartLost({ lost }: { lost: readonly Client[] }) {
  const join = useJoinCommand();
  const [first] = lost;
  if (join === undefined || first === undefined) return null;
  return (
    <Popover
      position="bottom-start"
      width="min(560px, calc(100vw - 32px))"
      trapFocus
      withinPortal
      shadow="md"
    >
      <Popover.Target>
        <Button variant="default" size="compact-md" data-testid="start-lost">
          {lost.length === 1 ? `Restart ${first.id}…` : `Restart ${plural(lost.length, "lost client")}…`}
        </Button>
      </Popover.Target>
      <Popover.Dropdown className={styles.lost ?? ""} aria-label="how to start a lost client again">
        <RestartCommands join={join} lost={lost} />
      </Popover.Dropdown>
    </Popover>
  );
}
