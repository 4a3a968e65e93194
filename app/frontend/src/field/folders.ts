/** A client's own folders, as the page lists them. Pure functions. */
import type { FolderRow } from "../network/folders";
import type { FolderStatus } from "./status";

export function folderRow(folder: FolderStatus): FolderRow {
  const coming = folder.not_in_sync.filter(({ condition }) => condition === "coming");
  return {
    client: null,
    id: folder.id,
    receive_only: folder.receive_only,
    files: folder.files,
    in_sync: folder.in_sync,
    bytes: folder.bytes,
    conflicts: folder.conflict_count,
    coming: coming.length,
    chunks: coming.reduce((sum, { chunks }) => sum + chunks, 0),
    of_chunks: coming.reduce((sum, { of_chunks }) => sum + of_chunks, 0),
    refused: folder.refused,
    peers: folder.peers,
    alike: Math.min(folder.alike, folder.peers),
    problem: folder.problem,
    details: [...folder.conflicts.map(conflictWords), ...folder.not_in_sync.map(fileWords)],
  };
}

function conflictWords(name: string): string {
  return `${name}: a conflict, merge it by hand and delete it`;
}

function fileWords({ name, condition, chunks, of_chunks, why }: FolderStatus["not_in_sync"][number]): string {
  const state = condition.replace("_", " ");
  return condition === "coming"
    ? `${name}: ${state}, ${chunks} of ${of_chunks} chunks`
    : `${name}: ${state}${why === "" ? "" : `, ${why}`}`;
}
