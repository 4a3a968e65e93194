import { Button, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useMemo, useState } from "react";
import { logUrl } from "../api/requests";
import type { LogKind } from "../api/types";
import { LEVEL_MARKS, PRINT_MARK } from "../events/marks";
import { count } from "../format/format";
import { useStore } from "../store/store";
import choice from "../ui/Choice.module.css";
import { StateMark } from "../ui/StateMark";
import { type KindCounts, KINDS, type LogFilter, queryOf } from "./filter";
import styles from "./Logs.module.css";
import { RunSelect } from "./RunSelect";

/** After the last key, so long the reader may go on to type. */
const TYPING_MS = 250;
/** Of a long list, so many that match what is typed are offered. */
const OFFERED = 100;

interface FilterControlsProps {
  filter: LogFilter;
  /** What cannot be chosen here. */
  fixed: Partial<LogFilter>;
  counts: KindCounts | undefined;
  change: (changes: Partial<LogFilter>) => void;
}

export function FilterControls({ filter, fixed, counts, change }: FilterControlsProps) {
  const clients = useStore((state) => state.server.clients);
  const sources = useMemo(
    () => withChosen(["server", ...clients.map(({ id }) => id)], filter.client),
    [clients, filter.client],
  );
  return (
    <>
      {fixed.run === undefined && <RunSelect chosen={filter.run} choose={(run) => change({ run })} />}
      {fixed.client === undefined && (
        <Select
          className={styles.select ?? ""}
          size="xs"
          aria-label="server or client"
          placeholder="server and clients"
          data={sources}
          value={filter.client}
          onChange={(client) => change({ client })}
          limit={OFFERED}
          searchable
          clearable
          data-testid="log-client"
        />
      )}
      <KindToggles chosen={filter.kinds} counts={counts} change={(kinds) => change({ kinds })} />
      <Search key={filter.text} text={filter.text} change={(text) => change({ text })} />
    </>
  );
}

function withChosen(known: readonly string[], chosen: string | null): string[] {
  return chosen === null || known.includes(chosen) ? [...known] : [chosen, ...known];
}

interface KindTogglesProps {
  chosen: readonly LogKind[];
  counts: KindCounts | undefined;
  change: (kinds: readonly LogKind[]) => void;
}

/** Any of the levels; none pressed: all. What is rare is offered where there is some of it. */
function KindToggles({ chosen, counts, change }: KindTogglesProps) {
  const offered = KINDS.filter(
    (kind) =>
      ["error", "warning", "info"].includes(kind) || chosen.includes(kind) || (counts?.[kind] ?? 0) > 0,
  );
  return (
    <div className={choice.choice} role="group" aria-label="levels">
      {offered.map((kind) => (
        <button
          key={kind}
          type="button"
          className={`${choice.option} ${styles.kind}`}
          aria-pressed={chosen.includes(kind)}
          onClick={() =>
            change(chosen.includes(kind) ? chosen.filter((each) => each !== kind) : [...chosen, kind])
          }
          data-testid={`log-kind-${kind}`}
        >
          <StateMark mark={kind === "printed" ? PRINT_MARK : LEVEL_MARKS[kind]} />
          {kind} <span className={styles.count}>{count(counts?.[kind])}</span>
        </button>
      ))}
    </div>
  );
}

function Search({ text, change }: { text: string; change: (text: string) => void }) {
  const [typed, setTyped] = useState(text);
  const search = useDebouncedCallback(change, TYPING_MS);
  return (
    <TextInput
      className={styles.search ?? ""}
      size="xs"
      type="search"
      aria-label="text"
      placeholder="text in message or traceback"
      maxLength={200}
      value={typed}
      onChange={({ currentTarget }) => {
        setTyped(currentTarget.value);
        search(currentTarget.value);
      }}
      data-testid="log-text"
    />
  );
}

/** Of the lines that the filter lets pass, all of them. */
export function Downloads({ filter }: { filter: LogFilter }) {
  return (
    <span className={styles.downloads} role="group" aria-label="download these lines">
      {(["text", "jsonl"] as const).map((format) => (
        <Button
          key={format}
          component="a"
          size="compact-sm"
          variant="default"
          href={logUrl(queryOf(filter), format)}
          download
          data-testid={`log-download-${format}`}
        >
          {format === "text" ? "Download text" : "JSON lines"}
        </Button>
      ))}
    </span>
  );
}
