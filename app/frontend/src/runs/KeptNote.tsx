import { useMemo } from "react";
import type { Run } from "../api/types";
import { latestResults } from "../clients/results";
import { roundsOf, useStore } from "../store/store";
import { keptWords } from "./privacy-words";
import styles from "./KeptNote.module.css";

/** Which numbers of single clients a private run lacks, and why. Nothing where it lacks none. */
export function KeptNote({ run }: { run: Run | null }) {
  const rounds = useStore((state) => roundsOf(state, run));
  const words = useMemo(
    () =>
      keptWords(
        run?.spec,
        [...latestResults(rounds).values()].map(({ result }) => result),
      ),
    [run?.spec, rounds],
  );
  if (words === null) return null;
  return (
    <p className={`${styles.note} dim small`} data-testid="kept-note">
      {words}
    </p>
  );
}
