import { lazy, Suspense, useEffect, useState } from "react";
import { Charts } from "../charts/Charts";
import { ClientTable } from "../clients/ClientTable";
import { roundsWords } from "../runs/run-words";
import { RunBar } from "../runs/RunBar";
import { RunList } from "../runs/RunList";
import { useRounds } from "../runs/useRounds";
import { shownRun, useStore } from "../store/store";
import styles from "./App.module.css";
import { DetailPanel } from "./DetailPanel";
import { Header } from "./Header";
import { loadPartsSoon, loadStartDialog } from "./parts";
import { StoreProblem } from "./StoreProblem";
import { useRefetchFromNewServer } from "./useRefetchFromNewServer";

const StartDialog = lazy(loadStartDialog);

export function App() {
  // Mounted from its first opening on, so that its values survive until the page is left.
  const [starting, setStarting] = useState<"never" | "open" | "closed">("never");
  const failure = useRounds();
  useTitle();
  useRefetchFromNewServer();
  useEffect(loadPartsSoon, []);
  return (
    <div className={styles.screen}>
      <div>
        <Header />
        <StoreProblem />
      </div>
      <main className={styles.page}>
        <RunBar onNewRun={() => setStarting("open")} />
        <div className={styles.left}>
          <Charts failure={failure} />
          <RunList />
        </div>
        <div className={styles.right}>
          <ClientTable />
          <DetailPanel />
        </div>
      </main>
      {starting !== "never" && (
        <Suspense fallback={null}>
          <StartDialog opened={starting === "open"} onClose={() => setStarting("closed")} />
        </Suspense>
      )}
    </div>
  );
}

/** The tab says how far the run is while the reader is elsewhere. */
function useTitle(): void {
  const title = useStore((state) => {
    const run = shownRun(state);
    if (run === null) return "FedLoom";
    return run.state === "running" ? `${roundsWords(run)} · FedLoom` : `${run.state} · FedLoom`;
  });
  useEffect(() => {
    document.title = title;
  }, [title]);
}
