import type { ReactNode } from "react";
import { Link } from "wouter";
import { useStore } from "../store/store";
import { Panel } from "../ui/Panel";
import styles from "./RunPage.module.css";
import { useRun } from "./useRun";

interface OfRunProps {
  id: string;
  children: ReactNode;
}

/** What is about one run, once that is known: an older one is asked for; of one that is nowhere it is said. */
export function OfRun({ id, children }: OfRunProps) {
  const loaded = useStore((state) => state.server.instance !== null);
  const there = useRun(id);
  if (!loaded) return null;
  if (there === "there") return children;
  if (there === "asked for") return <p className={styles.missing}>asking for run {id}</p>;
  if (there === "nowhere") return <NoSuchRun id={id} />;
  return (
    <p className={styles.missing} role="alert">
      Run {id} could not be loaded: {there.failed}
    </p>
  );
}

/** Of the run that the reader has chosen by the address; without one, of whichever the page follows. */
export function OfChosenRun({ children }: { children: ReactNode }) {
  const chosen = useStore((state) => state.chosenRun);
  return chosen === null ? children : <OfRun id={chosen}>{children}</OfRun>;
}

function NoSuchRun({ id }: { id: string }) {
  return (
    <div className={styles.files}>
      <Panel title="no such run" area="files">
        <p className={styles.missing} role="alert" data-testid="no-such-run">
          This server has no run <span className="mono">{id}</span>: it was deleted, or the address is of
          another server. See <Link href="/runs">the runs that it has</Link>.
        </p>
      </Panel>
    </div>
  );
}
