import { exportUrl } from "../api/requests";
import type { ExportFormat, Run } from "../api/types";
import { roundsDone } from "../runs/run-words";
import { shownRounds, shownRun, useStore } from "../store/store";
import { CopyCommand } from "../ui/CopyCommand";
import { Explained } from "../ui/Explained";
import { CheckpointList } from "./CheckpointList";
import list from "../ui/List.module.css";

const FORMATS: Record<ExportFormat, { title: string; what: string }> = {
  html: { title: "Report", what: "one page to read and print, which opens without a server" },
  json: { title: "JSON", what: "everything about the run in one file" },
  csv: { title: "CSV", what: "the numbers of its rounds and clients as tables" },
  tensorboard: { title: "TensorBoard", what: "its curves as event files" },
};

/** What of the shown run can be taken away. */
export default function Files() {
  const run = useStore(shownRun);
  const done = useStore((state) => {
    const shown = shownRun(state);
    return shown === null ? 0 : roundsDone(shown, shownRounds(state));
  });
  if (run === null)
    return <p className={list.empty}>Checkpoints and exports are offered here once a run has started.</p>;
  return (
    <>
      <Exports run={run} />
      <CheckpointList key={run.id} run={run} version={`${run.state} ${done}`} />
    </>
  );
}

function Exports({ run }: { run: Run }) {
  const status = useStore((state) => state.server.status);
  if (status === null) return null;
  return (
    <div className={list.take}>
      <span className="dim">
        <Explained why={`run ${run.id} is kept in ${status.store}`}>export</Explained>
      </span>
      {(Object.keys(FORMATS) as ExportFormat[]).map((format) => (
        <a
          key={format}
          href={exportUrl(run.id, format)}
          download
          title={FORMATS[format].what}
          data-testid={`export-${format}`}
        >
          {FORMATS[format].title}
        </a>
      ))}
      <div className={list.command}>
        <CopyCommand command={`${status.export_command} ${run.id}`} testId="export-command" />
      </div>
    </div>
  );
}
