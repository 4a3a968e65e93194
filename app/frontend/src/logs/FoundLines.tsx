import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation, useSearchParams } from "wouter";
import { fetchLogPlace } from "../api/requests";
import { count, plural } from "../format/format";
import { useStore } from "../store/store";
import { type LogFilter, queryOf, sumOf } from "./filter";
import type { Opened } from "./layout";
import { Downloads } from "./LogControls";
import { LoadingRow, LogRow } from "./LogRow";
import { LogRows } from "./LogRows";
import styles from "./Logs.module.css";
import type { LogLines } from "./useLogLines";

interface FoundLinesProps {
  lines: LogLines;
  filter: LogFilter;
  at: number | null;
}

/** The lines that were found, what of them is open, and where among them the reader is. */
export function FoundLines({ lines, filter, at }: FoundLinesProps) {
  const { counts, total, entryAt, look } = lines;
  const [path] = useLocation();
  const [address, setAddress] = useSearchParams();
  const [opened, setOpened] = useState<Opened>(new Map());
  /** null: the newest lines stay in view; else how many there were when the reader left them. */
  const [left, setLeft] = useState<number | null>(at === null ? null : total);
  const [seenAt, setSeenAt] = useState(at);
  if (seenAt !== at) {
    setSeenAt(at);
    if (at !== null) setLeft((before) => before ?? total);
  }
  const target = usePlace(filter, at);
  const follow = (on: boolean): void => setLeft(on ? null : (before) => before ?? total);
  const open = (index: number, extra: number | null): void =>
    setOpened((before) => {
      const next = new Map(before);
      if (extra === null) next.delete(index);
      else next.set(index, extra);
      return next;
    });

  if (counts === undefined)
    return lines.failure === null ? <p className={styles.empty}>loading the log</p> : null;
  if (total === 0) return <Nothing filter={filter} everything={sumOf(counts, [])} />;
  return (
    <>
      <LogRows
        total={total}
        label="lines of the log, oldest first"
        opened={opened}
        measured={open}
        look={look}
        following={left === null}
        follow={follow}
        target={target}
        render={(index) => {
          const entry = entryAt(index);
          if (entry === undefined) return <LoadingRow />;
          return (
            <LogRow
              entry={entry}
              open={opened.has(index)}
              toggle={() => open(index, opened.has(index) ? null : 0)}
              named={entry.seq === at}
              href={hrefOf(path, address, entry.seq)}
            />
          );
        }}
      />
      <footer className={styles.foot}>
        <span className="dim small" data-testid="log-total">
          {plural(total, "line")}
          {left === null || total <= left ? "" : `, ${count(total - left)} new since you left the end`}
        </span>
        <span className={styles.space} />
        <Downloads filter={filter} />
        <Button
          size="compact-sm"
          variant="default"
          aria-pressed={left === null}
          onClick={() => {
            follow(left !== null);
            if (left !== null && at !== null)
              setAddress(
                (now) => {
                  now.delete("at");
                  return now;
                },
                { replace: true },
              );
          }}
          data-testid="log-follow"
        >
          {left === null ? "Pause" : "Follow"}
        </Button>
      </footer>
    </>
  );
}

function hrefOf(path: string, address: URLSearchParams, seq: number): string {
  const next = new URLSearchParams(address);
  next.set("at", String(seq));
  return `${path}?${next.toString()}`;
}

/** Where the line is that the address names. */
function usePlace(filter: LogFilter, at: number | null): { index: number } | null {
  const instance = useStore((state) => state.server.instance);
  const query = queryOf(filter);
  const { data } = useQuery({
    queryKey: ["log place", instance, query, at],
    queryFn: () => fetchLogPlace(query, { seq: at ?? 0 }),
    enabled: at !== null,
    staleTime: Infinity,
    gcTime: 0,
  });
  return data ?? null;
}

function Nothing({ filter, everything }: { filter: LogFilter; everything: number }) {
  const { client, kinds, text } = filter;
  return (
    <p className={styles.empty} data-testid="log-empty">
      {everything > 0
        ? `None of ${plural(everything, "line")} is ${kinds.join(" or ")}: choose other levels.`
        : text !== ""
          ? `No line has “${text}”. Search for less, or in all runs and clients.`
          : client !== null && client !== "server"
            ? `${client} has told nothing of its log, or its lines were forgotten. What it sends is its site's choice (log in client.toml).`
            : "There are no lines yet."}
    </p>
  );
}
