import { Button, Modal } from "@mantine/core";
import { useState } from "react";
import { RequestFailed, stopRun } from "../api/http";
import type { Run } from "../api/types";
import { shownRounds, useStore } from "../store/store";
import dialog from "./Dialog.module.css";
import { roundsDone, stopConsequence } from "./run-words";

/** Asks first; after that it says "Stopping" until the server says that the run has ended. */
export function StopButton({ run }: { run: Run }) {
  const rounds = useStore(shownRounds);
  const [asking, setAsking] = useState(false);
  const [stopping, setStopping] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);

  async function stop(): Promise<void> {
    setStopping(true);
    setFailure(null);
    try {
      await stopRun(run.id);
      setAsking(false);
    } catch (error) {
      setStopping(false);
      setFailure(error instanceof RequestFailed ? error.message : String(error));
    }
  }

  const close = (): void => {
    setAsking(false);
    setFailure(null);
  };
  return (
    <>
      <Button
        variant="default"
        size="compact-md"
        miw={88}
        disabled={stopping}
        onClick={() => setAsking(true)}
        data-testid="stop"
      >
        {stopping ? "Stopping…" : "Stop"}
      </Button>
      <Modal
        opened={asking}
        onClose={close}
        title={`Stop run ${run.id}?`}
        classNames={{ title: dialog.title ?? "" }}
        closeButtonProps={{ "aria-label": "Close" }}
        centered
      >
        <p data-testid="stop-consequence">{stopConsequence(run, roundsDone(run, rounds))}</p>
        {failure !== null && (
          <p className={dialog.failure} role="alert">
            {failure}
          </p>
        )}
        <div className={dialog.buttons}>
          <Button variant="default" onClick={close} data-autofocus>
            {run.state === "running" ? "Let it run" : "Keep it"}
          </Button>
          <Button color="bad" onClick={() => void stop()} disabled={stopping} data-testid="stop-confirm">
            {stopping ? "Stopping…" : "Stop run"}
          </Button>
        </div>
      </Modal>
    </>
  );
}
