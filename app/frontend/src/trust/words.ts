/** The audit log in words. */
import type { AuditVerification, AuditEntry, AuditStatus } from "../api/types";
import { count, plural } from "../format/format";

/** What of a root two people can compare at a glance; the whole is on hover and in the file. */
export function shortRoot(root: string): string {
  return `${root.slice(0, 8)}…`;
}

/** Entries at the end that no client has witnessed. */
export function unwitnessed({ size, witnesses }: AuditStatus): number {
  return size - Math.max(0, ...witnesses.map((witness) => witness.size));
}

export function unwitnessedWords(status: AuditStatus): string {
  const left = unwitnessed(status);
  if (status.size === 0) return "Nothing has been entered yet.";
  if (status.witnesses.length === 0)
    return "No client has witnessed any of it yet: the server alone vouches for it.";
  if (left === 0) return "All of it has been witnessed.";
  return `The last ${count(left)} ${left === 1 ? "entry has" : "entries have"} not been witnessed yet.`;
}

/** "all", or how many of the entries. */
export function witnessWords(seen: number, size: number): string {
  return seen === size ? "all of it" : `${count(seen)} of ${count(size)}`;
}

/** What an entry says beside its kind; all of it is on hover. */
export function entryWords({ kind, fields }: AuditEntry): string {
  const { run, round } = fields;
  const ofRun = typeof run === "string" ? `run ${run}` : "";
  const inRun = typeof round === "number" ? `round ${round} of ${ofRun}` : ofRun;
  switch (kind) {
    case "aggregated":
      return `${inRun}, from ${count(Array.isArray(fields.updates) ? fields.updates.length : null)} updates`;
    case "run-ended":
      return [ofRun, fields.state, fields.reason].filter((each) => typeof each === "string").join(": ");
    case "client-joined":
      return `${text(fields.client)} with the key ${text(fields.key).slice(0, 9)}…`;
    case "update-judged":
      return [fields.client, fields.type, inRun, fields.verdict]
        .filter((each) => typeof each === "string" && each !== "")
        .join(", ");
    case "invitation-made":
    case "invitation-revoked":
      return [fields.invitation, fields.type, fields.label, doer(fields)]
        .filter((each) => typeof each === "string" && each !== "")
        .join(", ");
    case "invitation-used":
      return [fields.client, fields.invitation].filter((each) => typeof each === "string").join(", ");
    case "client-forgotten":
    case "client-approved":
    case "client-rejected":
    case "client-revoked":
    case "client-readmitted":
    case "mesh-unblocked":
    case "next-key-announced":
      return [fields.client ?? fields.key, doer(fields)]
        .filter((each) => typeof each === "string")
        .join(", ");
    case "mesh-blocked":
      return [fields.client, fields.reason, doer(fields)]
        .filter((each) => typeof each === "string" && each !== "")
        .join(", ");
    case "client-refused":
      return [fields.client, fields.reason].filter((each) => typeof each === "string").join(": ");
    case "downloaded":
      return [fields.what, inRun, doer(fields)].filter((each) => each !== "").join(", ");
    case "run-commanded":
      return `${text(fields.command)} ${ofRun}, ${doer(fields)}`;
    case "local-clients-started":
    case "local-clients-ended":
      return [names(fields.clients), fields.dataset, doer(fields)]
        .filter((each) => typeof each === "string")
        .join(", ");
    case "run-noted":
    case "run-deleted":
    case "checkpoints-deleted":
      return `${ofRun}, ${doer(fields)}`;
    case "logged-in":
      return doer(fields);
    case "login-refused":
      return [fields.user, fields.reason, fields.address]
        .filter((each) => typeof each === "string")
        .join(", ");
    case "user-added":
    case "user-changed":
    case "user-removed":
      return [fields.user, fields.role, doer(fields)].filter((each) => typeof each === "string").join(", ");
    case "token-made":
    case "token-revoked":
      return [fields.label, fields.role, doer(fields)].filter((each) => typeof each === "string").join(", ");
    default:
      return inRun;
  }
}

/** Who has done it, from where. */
function doer({ by, address }: AuditEntry["fields"]): string {
  return `by ${text(by)}${typeof address === "string" ? ` at ${address}` : ""}`;
}

function names(value: unknown): string {
  return Array.isArray(value) ? value.map(text).join(" ") : "?";
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "?";
}

/** "All hashes and signatures of 16 entries and 4 checkpoints are right. For the last 2 entries the server alone vouches." */
export function verifiedWords({ wrong, entries, checkpoints, unwitnessed }: AuditVerification): string {
  if (wrong !== null) return `The log is not as it was signed. ${wrong}`;
  const right = `All hashes and signatures of ${plural(entries ?? 0, "entry", "entries")} and ${plural(checkpoints ?? 0, "checkpoint")} are right.`;
  if (!unwitnessed) return right;
  return `${right} For the last ${plural(unwitnessed, "entry", "entries")} the server alone vouches.`;
}
