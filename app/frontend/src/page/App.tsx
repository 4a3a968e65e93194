import { useEffect } from "react";
import { useWhetherHere } from "../events/useWhetherHere";
import { useNotices } from "../notices/useNotices";
import { RunBar } from "../runs/RunBar";
import { useRoundOfAddress } from "../runs/useChosenRound";
import { useRounds } from "../runs/useRounds";
import { isStale, useStore } from "../store/store";
import styles from "./App.module.css";
import { Header } from "./Header";
import { Pages } from "./Pages";
import { loadPartsSoon } from "./parts";
import { StoreProblem } from "./StoreProblem";
import { useRefetchFromNewServer } from "./useRefetchFromNewServer";
import { useRunOfAddress } from "./useRunOfAddress";
import { useTab } from "./useTab";

export function App() {
  useRunOfAddress();
  useRoundOfAddress();
  const failure = useRounds();
  const stale = useStore(isStale);
  useTab();
  useNotices();
  useWhetherHere();
  useRefetchFromNewServer();
  useEffect(loadPartsSoon, []);
  return (
    <div className={styles.screen}>
      <div>
        <Header />
        <StoreProblem />
      </div>
      <main className={styles.page} data-stale={stale}>
        <RunBar />
        <Pages failure={failure} />
      </main>
    </div>
  );
}
