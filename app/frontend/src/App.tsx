import { useEffect, useState } from "react";
import styles from "./App.module.css";
import { ChartPanel } from "./charts/ChartPanel";
import { ClientTable } from "./components/ClientTable";
import { EventFeed } from "./components/EventFeed";
import { Header } from "./components/Header";
import { RunBar } from "./components/RunBar";
import { RunList } from "./components/RunList";
import { StartDialog } from "./start/StartDialog";
import { shownRun, useStore } from "./store/store";
import { useRounds } from "./useRounds";

export function App() {
  const [starting, setStarting] = useState(false);
  const failure = useRounds();
  useTitle();
  return (
    <>
      <Header />
      <main className={styles.page}>
        <RunBar onNewRun={() => setStarting(true)} />
        <div className={styles.left}>
          <ChartPanel metric="accuracy" failure={failure} />
          <ChartPanel metric="loss" failure={failure} />
          <RunList />
        </div>
        <div className={styles.right}>
          <ClientTable />
          <EventFeed />
        </div>
      </main>
      <StartDialog opened={starting} onClose={() => setStarting(false)} />
    </>
  );
}

/** The tab says how far the run is while the reader is elsewhere. */
function useTitle(): void {
  const title = useStore((state) => {
    const run = shownRun(state);
    if (run === null) return "FedLoom";
    return run.state === "running" ? `${run.round} of ${run.num_rounds} · FedLoom` : `${run.state} · FedLoom`;
  });
  useEffect(() => {
    document.title = title;
  }, [title]);
}
