import { useMemo } from "react";
import { useSearchParams } from "wouter";
import { filterOf, type LogFilter, lineOf, withFilter } from "./filter";
import { FoundLines } from "./FoundLines";
import { JumpTo } from "./JumpTo";
import { FilterControls } from "./LogControls";
import styles from "./Logs.module.css";
import { useLogLines } from "./useLogLines";

interface LogViewProps {
  /** Given where the log is that of one client, or of one run. */
  client?: string;
  run?: string;
}

/** The log of the server and of all clients, or of one of them. What the reader looks for stands in the address. */
export function LogView({ client, run }: LogViewProps) {
  const [address, setAddress] = useSearchParams();
  const fixed = useMemo(
    (): Partial<LogFilter> => ({
      ...(client === undefined ? {} : { client }),
      ...(run === undefined ? {} : { run }),
    }),
    [client, run],
  );
  const filter = useMemo(() => filterOf(address, fixed), [address, fixed]);
  const at = lineOf(address);
  const lines = useLogLines(filter);
  const jump = (seq: number): void =>
    setAddress((now) => {
      now.set("at", String(seq));
      return now;
    });
  return (
    <div className={styles.view}>
      <div className={styles.controls}>
        <FilterControls
          filter={filter}
          fixed={fixed}
          counts={lines.counts}
          change={(changes) => setAddress((now) => withFilter(now, changes), { replace: true })}
        />
        <span className={styles.space} />
        <JumpTo filter={filter} jump={jump} />
      </div>
      {lines.failure !== null && (
        <p className={styles.failure} role="alert" data-testid="log-failure">
          The log could not be loaded: {lines.failure}
        </p>
      )}
      {/* What is open, and where the reader is, belongs to these lines. */}
      <FoundLines key={lines.generation} lines={lines} filter={filter} at={at} />
    </div>
  );
}
