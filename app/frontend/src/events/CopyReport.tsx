import { Button } from "@mantine/core";
import { useState } from "react";
import { useStore } from "../store/store";
import { reportOf } from "./report";

interface CopyReportProps {
  /** The run that it happened in; null: in none. */
  runId: string | null;
  /** A client's id, or "server". */
  source: string;
  traceback: string;
}

/** Copies what somebody needs who is to help: version, run, settings, machine, traceback; no secrets. */
export function CopyReport({ runId, source, traceback }: CopyReportProps) {
  const [said, setSaid] = useState("Copy report");
  async function copy(): Promise<void> {
    const { server, usages, now } = useStore.getState();
    const text = reportOf({
      version: server.status?.version ?? "",
      now,
      browser: navigator.userAgent,
      run: server.runs.find(({ id }) => id === runId) ?? null,
      client: server.clients.find(({ id }) => id === source) ?? null,
      usage: usages.get(null)?.at(-1),
      traceback,
    });
    try {
      await navigator.clipboard.writeText(text);
      setSaid("Copied");
    } catch {
      // Over plain HTTP from another machine the browser has no clipboard for us.
      setSaid("The browser does not allow it");
    }
  }
  return (
    <Button variant="default" size="compact-sm" onClick={() => void copy()} data-testid="copy-report">
      {said}
    </Button>
  );
}
