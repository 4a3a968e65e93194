/** What somebody needs who is to help with an error, as text to send. Pure functions. */
import type { Client, Run, Usage } from "../api/types";
import { bytes, exactTime } from "../format/format";

export interface Reported {
  /** Of FedLoom. */
  version: string;
  /** Unix seconds of the server's clock. */
  now: number;
  browser: string;
  run: Run | null;
  /** Where it happened; null: at the server. */
  client: Client | null;
  /** Of the server's machine; undefined: not told yet. */
  usage: Usage | undefined;
  traceback: string;
}

/** What lets somebody in never leaves the page: keys in addresses, passwords in the address of a database. */
const SECRETS: readonly [RegExp, string][] = [
  [/\b(key|token|setup|secret|password|passwd)(\s*[=:]\s*)[^\s&"',}]+/gi, "$1$2…"],
  [/(:\/\/[^\s/:@]+:)[^\s@/]+@/g, "$1…@"],
];

export function reportOf({ version, now, browser, run, client, usage, traceback }: Reported): string {
  const lines = [
    `FedLoom ${version}, ${exactTime(now)}`,
    ...(run === null
      ? []
      : [`run ${run.id}: ${run.state}, round ${run.round}`, `reason: ${run.reason ?? "none"}`]),
    ...(run === null ? [] : [`settings: ${settingsOf(run)}`]),
    client === null
      ? `at the server${machineOf(usage)}`
      : `at ${client.id}, ${client.device} on ${client.host}`,
    `browser: ${browser}`,
    "",
    traceback.trimEnd(),
    "",
  ];
  return SECRETS.reduce((text, [secret, instead]) => text.replace(secret, instead), lines.join("\n"));
}

/** What an app is configured with may be anything: its keys alone are named. */
function settingsOf({ spec }: Run): string {
  return JSON.stringify({ ...spec, run_config: Object.keys(spec.run_config ?? {}) });
}

function machineOf(usage: Usage | undefined): string {
  return usage === undefined ? "" : `, ${usage.cores} cores, ${bytes(usage.memory_total)} memory`;
}
