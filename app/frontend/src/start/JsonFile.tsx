import { Button } from "@mantine/core";
import { useRef, useState } from "react";
import type { RunSpec } from "../api/types";

interface JsonFileProps {
  spec: Partial<RunSpec>;
  fill: (spec: Partial<RunSpec>) => void;
}

const MOST_BYTES = 100_000;

/** The settings as a file, which another server takes as well: REST has the same fields. */
export function JsonFile({ spec, fill }: JsonFileProps) {
  const input = useRef<HTMLInputElement>(null);
  const [refused, setRefused] = useState<string | null>(null);
  const read = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return;
    const settings = file.size > MOST_BYTES ? null : settingsIn(await file.text());
    setRefused(
      settings === null ? `${file.name} has no settings of a run: it is to be a JSON object.` : null,
    );
    if (settings !== null) fill(settings);
  };
  return (
    <>
      {refused !== null && (
        <span className="small" role="alert" data-testid="import-refused">
          {refused}
        </span>
      )}
      <input
        ref={input}
        type="file"
        accept="application/json,.json"
        hidden
        aria-label="settings as JSON"
        data-testid="import"
        onChange={(event) => {
          void read(event.currentTarget.files?.[0]);
          event.currentTarget.value = "";
        }}
      />
      <Button variant="subtle" size="compact-md" onClick={() => input.current?.click()}>
        Import
      </Button>
      <Button
        component="a"
        variant="subtle"
        size="compact-md"
        href={`data:application/json,${encodeURIComponent(JSON.stringify(spec, null, 2))}`}
        download="run.json"
        data-testid="export"
      >
        Export
      </Button>
    </>
  );
}

/** The server judges what stands in it; here only whether it could be settings at all. */
function settingsIn(text: string): Partial<RunSpec> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
