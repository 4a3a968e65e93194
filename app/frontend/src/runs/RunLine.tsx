import { Button } from "@mantine/core";
import { useId, useState } from "react";
import type { Run } from "../api/types";
import { percent } from "../format/format";
import { pastRun, shownRounds, useStore } from "../store/store";
import { useStrategyTitles } from "../strategies/useStrategies";
import { Ago } from "../ui/Value";
import { privacyExplained, privacyWords } from "./privacy-words";
import { roundShown } from "./round-progress";
import { appLabels, clippedShare } from "./round-words";
import { RoundProgress } from "./RoundProgress";
import { roundsDone } from "./run-words";
import styles from "./RunBar.module.css";
import { settingsLines, specWords } from "./spec-words";

const CLIPPED =
  "share of the newest sum's values that were beyond the range of the secure aggregation; where it is large, a wider range learns better";

/** Which run it is, what it is to do, how far it is and how good. */
export function RunLine({ run }: { run: Run }) {
  const rounds = useStore(shownRounds);
  const titleOf = useStrategyTitles();
  const [opened, setOpened] = useState(false);
  const settings = useId();
  const done = roundsDone(run, rounds);
  const clipped = clippedShare(rounds);
  const words = specWords(run.spec, titleOf);
  return (
    <>
      <div className={styles.second}>
        <div className={styles.about}>
          <p className="dim ellipsis">
            <Which run={run} /> · {words}
            {clipped !== null && <span data-testid="run-clipped"> · {percent(clipped)} clipped</span>}
          </p>
          <Button
            variant="subtle"
            size="compact-sm"
            aria-expanded={opened}
            aria-controls={settings}
            onClick={() => setOpened(!opened)}
            data-testid="settings-toggle"
          >
            {opened ? "Hide settings" : "Settings"}
          </Button>
        </div>
        {run.privacy !== null && (
          <p className={styles.privacy} data-testid="run-privacy">
            {privacyWords(run.privacy)}
          </p>
        )}
        <RoundProgress run={run} done={done} label={appLabels(rounds).get(roundShown(run, done))} />
      </div>
      {opened && (
        <ul
          id={settings}
          className={styles.settings}
          tabIndex={0}
          aria-label={`settings of run ${run.id}`}
          data-testid="settings"
        >
          {[words, ...settingsLines(run)].map((line) => (
            <li key={line}>{line}</li>
          ))}
          {run.privacy !== null && <li>{privacyExplained(run.privacy)}</li>}
          {clipped !== null && (
            <li>
              {percent(clipped)} clipped: {CLIPPED}
            </li>
          )}
        </ul>
      )}
    </>
  );
}

/** Of one that other runs have followed, that it is no news. */
function Which({ run }: { run: Run }) {
  const past = useStore((state) => pastRun(state) !== null);
  const id = (
    <span className="mono" data-testid="run-id">
      {run.id}
    </span>
  );
  if (!past) return <>run {id}</>;
  return (
    <>
      <strong className={styles.past} data-testid="past-run">
        past run
      </strong>{" "}
      {id}
      {run.finished_at !== null && <Ago time={run.finished_at} prefix=", ended " />}
    </>
  );
}
