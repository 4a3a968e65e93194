import { TextInput } from "@mantine/core";
import { useState } from "react";
import { fetchLogPlace, fetchRounds } from "../api/requests";
import type { Round } from "../api/types";
import { shownRun, useStore } from "../store/store";
import { type LogFilter, queryOf } from "./filter";
import styles from "./Logs.module.css";
import { momentOf } from "./words";

interface JumpToProps {
  filter: LogFilter;
  /** To this line. */
  jump: (seq: number) => void;
}

/** Takes the reader to a time, or to the beginning of a round. */
export function JumpTo({ filter, jump }: JumpToProps) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const shown = useStore((state) => shownRun(state)?.id ?? null);

  const go = async (): Promise<void> => {
    const moment = momentOf(text, useStore.getState().now);
    if (moment === null) {
      setProblem("Give a time such as 12:41, or a round such as round 3.");
      return;
    }
    try {
      const time = "time" in moment ? moment.time : await beginOf(filter.run ?? shown, moment.round);
      const { entry } = await fetchLogPlace(queryOf(filter), { time });
      setProblem(null);
      jump(entry.seq);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <form
      className={styles.jump}
      onSubmit={(event) => {
        event.preventDefault();
        void go();
      }}
    >
      <TextInput
        size="xs"
        aria-label="go to a time or round"
        placeholder="go to 12:41 or round 3"
        value={text}
        onChange={({ currentTarget }) => {
          setText(currentTarget.value);
          setProblem(null);
        }}
        error={problem !== null}
        data-testid="log-jump"
      />
      {problem !== null && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}

async function fetchRound(run: string, number: number): Promise<readonly Round[]> {
  return (await fetchRounds(run, { after: number - 1, limit: 1, points: 10_000, clients: [] })).rounds;
}

/** When a round of a run began, in Unix seconds. */
async function beginOf(run: string | null, number: number): Promise<number> {
  if (run === null) throw new Error("Choose the run whose round it is.");
  const known = useStore.getState().server.rounds[run] ?? [];
  const isNumbered = ({ round }: Round): boolean => round === number;
  const found = known.find(isNumbered) ?? (await fetchRound(run, number)).find(isNumbered);
  if (found === undefined) throw new Error(`Run ${run} has no round ${number} so far.`);
  return found.started_at;
}
