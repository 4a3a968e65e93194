/** Shared folders as a page lists them: by the word of each client that shares one. Pure functions. */
import type { MeshFolder, MeshNode } from "../api/types";
import { bytes, count, NO_DATA, plural } from "../format/format";
import { natural } from "../store/server-state";

export interface FolderRow extends Omit<MeshFolder, "failed"> {
  /** Who tells it; null: the client whose page this is. */
  client: string | null;
  /** Why it is not shared at present; empty: it is. */
  problem: string;
  /** What is to be said of single files. */
  details: readonly string[];
}

const AT_CLIENT = "it is not shared at present: its client's own page and log say why";

/** By folder, then by client. */
export function foldersOf(told: readonly MeshNode[]): FolderRow[] {
  const rows = told.flatMap(({ id, now }) =>
    (now?.folders ?? []).map(({ failed, ...folder }) => ({
      ...folder,
      client: id,
      problem: failed ? AT_CLIENT : "",
      details: [],
    })),
  );
  return rows.sort((a, b) => natural.compare(a.id, b.id) || natural.compare(a.client, b.client));
}

export type FolderState = "in sync" | "receiving" | "not in sync" | "conflict" | "not shared";

/** What matters most of a folder. */
export function folderState({ problem, conflicts, coming, files, in_sync }: FolderRow): FolderState {
  if (problem !== "") return "not shared";
  if (coming > 0) return "receiving";
  if (conflicts > 0) return "conflict";
  return files === in_sync ? "in sync" : "not in sync";
}

/** "3 files, 1.6 MB", or "2 of 3 files, 1.6 MB" */
export function filesWords({ files, in_sync, bytes: size }: FolderRow): string {
  const those = files === in_sync ? plural(files, "file") : `${count(in_sync)} of ${plural(files, "file")}`;
  return `${those}, ${bytes(size)}`;
}

/** "2 of 2 others" */
export function alikeWords({ peers, alike }: FolderRow): string {
  return peers === 0 ? NO_DATA : `${count(alike)} of ${count(peers)}`;
}

/** How far what comes is, in whole per cent; null: nothing comes. */
export function receivedPercent({ coming, chunks, of_chunks }: FolderRow): number | null {
  return coming === 0 || of_chunks === 0 ? null : Math.floor((100 * chunks) / of_chunks);
}
