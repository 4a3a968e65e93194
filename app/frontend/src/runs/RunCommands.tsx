import { useLocation } from "wouter";
import { commandRun, createRun } from "../api/requests";
import { isOver, type Run } from "../api/types";
import { activeRun, shownRounds, useStore } from "../store/store";
import { CommandButton } from "../ui/CommandButton";
import { Asked } from "../ui/Asked";
import { canTryAgain, roundsDone, stopConsequence } from "./run-words";
import { specAgain } from "./spec-words";
import { useCommand } from "./useCommand";

interface RunCommandsProps {
  run: Run;
  /** Tells why a command was not taken; null when another is given. */
  refused: (reason: string | null) => void;
}

/** What can be done with a run: one that is over can be begun anew. */
export function RunCommands({ run, refused }: RunCommandsProps) {
  if (isOver(run.state)) return <StartAgain run={run} refused={refused} />;
  return (
    <>
      {canTryAgain(run) && <TryAgain run={run} refused={refused} />}
      {run.state === "interrupted" && !run.can_resume ? (
        <StartAgain run={run} refused={refused} />
      ) : (
        run.state !== "queued" && <PauseOrResume run={run} refused={refused} />
      )}
      <Stop run={run} />
    </>
  );
}

/** One button for both, so that the focus stays where it was when one becomes the other. */
function PauseOrResume({ run, refused }: RunCommandsProps) {
  const instance = useStore((state) => state.server.instance);
  const command = run.state === "paused" || run.state === "interrupted" ? "resume" : "pause";
  const { taken, give } = useCommand(() => commandRun(run.id, command), `${instance} ${command}`);
  return (
    <CommandButton
      label={command === "pause" ? "Pause" : "Resume"}
      busy={command === "pause" ? "Pausing…" : "Resuming…"}
      taken={taken || (command === "pause" && run.pending === "pausing")}
      press={() => void report(give, refused)}
      testId={command}
    />
  );
}

/** The server tries a round again that lacked updates, without waiting for a client to come. */
function TryAgain({ run, refused }: RunCommandsProps) {
  const since = useStore((state) => state.server.applied[`run_update:${run.id}`]);
  const { taken, give } = useCommand(() => commandRun(run.id, "resume"), String(since));
  return (
    <CommandButton
      label="Try again"
      busy="Trying…"
      taken={taken}
      press={() => void report(give, refused)}
      testId="try-again"
    />
  );
}

/** A new run like it, where it is over, or of another app, of which nobody knows where it was. It stays as it is. */
function StartAgain({ run, refused }: RunCommandsProps) {
  const runs = useStore((state) => state.server.runs.length);
  const queues = useStore((state) => activeRun(state) !== null);
  const [, go] = useLocation();
  const again = async (): Promise<void> => {
    await createRun(specAgain(run));
    if (!queues) go("/");
  };
  const { taken, give } = useCommand(again, `${runs}`);
  return (
    <CommandButton
      label={isOver(run.state) ? "Run again" : "Start again"}
      busy={queues ? "Queueing…" : "Starting…"}
      taken={taken}
      press={() => void report(give, refused)}
      title={`a new run with the same settings; run ${run.id} stays as it is`}
      testId="start-again"
    />
  );
}

async function report(
  give: () => Promise<string | null>,
  refused: RunCommandsProps["refused"],
): Promise<void> {
  refused(null);
  refused(await give());
}

function Stop({ run }: { run: Run }) {
  const instance = useStore((state) => state.server.instance);
  const done = useStore((state) => roundsDone(run, shownRounds(state)));
  const { taken: sent, give } = useCommand(() => commandRun(run.id, "stop"), `${instance} ${run.id}`);
  const taken = sent || run.pending === "stopping";
  return (
    <Asked
      button={(ask) => (
        <CommandButton label="Stop" busy="Stopping…" taken={taken} press={ask} testId="stop" />
      )}
      title={`Stop run ${run.id}?`}
      consequence={stopConsequence(run, done)}
      keep={run.state === "running" ? "Let it run" : "Keep it"}
      confirm="Stop run"
      busy="Stopping…"
      taken={taken}
      give={give}
      testId="stop"
    />
  );
}
