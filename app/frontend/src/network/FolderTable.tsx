import { count } from "../format/format";
import { Explained } from "../ui/Explained";
import list from "../ui/List.module.css";
import { Panel } from "../ui/Panel";
import { type Mark, StateMark } from "../ui/StateMark";
import { Value } from "../ui/Value";
import {
  alikeWords,
  filesWords,
  type FolderRow,
  type FolderState,
  folderState,
  receivedPercent,
} from "./folders";
import styles from "./FolderTable.module.css";

const MARKS: Record<FolderState, Mark> = {
  "in sync": ["check", "good"],
  receiving: ["half", "plain"],
  "not in sync": ["dots", "warn"],
  conflict: ["triangle", "warn"],
  "not shared": ["cross", "bad"],
};

const HOW = "python -m mesh sync add FOLDER";

/** The folders that nodes keep alike, with how far each of them is. */
export function FolderTable({ rows }: { rows: readonly FolderRow[] }) {
  return (
    <Panel title="files in sync" area="files" beside={<span className="dim small">{rows.length}</span>}>
      {rows.length === 0 ? (
        <p className={list.empty}>
          No folder is shared. At a client in the mesh: <code>{HOW}</code>
        </p>
      ) : (
        <div className={styles.scroller} tabIndex={0} role="group" aria-label="folders that are kept alike">
          <table className={styles.table} data-testid="folder-table">
            <thead>
              <tr className="dim small">
                <th scope="col">folder</th>
                <th scope="col">state</th>
                <th scope="col">files</th>
                <th scope="col">
                  <Explained why="how many of the others have said to have the same">alike at</Explained>
                </th>
                <th scope="col">conflicts</th>
                <th scope="col">
                  <Explained why="messages about the folder that were not taken">refused</Explained>
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <Row key={`${row.client ?? ""} ${row.id}`} row={row} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function Row({ row }: { row: FolderRow }) {
  const state = folderState(row);
  const received = receivedPercent(row);
  const details = [row.problem, ...row.details].filter((each) => each !== "").join("\n");
  return (
    <tr data-testid="folder" data-folder={row.id} data-client={row.client} data-state={state}>
      <th scope="row" className="ellipsis">
        <span className="mono">{row.id}</span>
        {row.client !== null && <span className="dim"> at {row.client}</span>}
        {row.receive_only && <span className="dim small"> receives only</span>}
      </th>
      <td>
        <span className={styles.state}>
          <StateMark mark={MARKS[state]} />
          {details === "" ? state : <Explained why={details}>{state}</Explained>}
          {received !== null && <Receiving files={row.coming} percent={received} />}
        </span>
      </td>
      <td>{filesWords(row)}</td>
      <td>
        <Value text={alikeWords(row)} why="nobody else shares it" />
      </td>
      <td className="mono">{count(row.conflicts)}</td>
      <td className="mono">{count(row.refused)}</td>
    </tr>
  );
}

function Receiving({ files, percent }: { files: number; percent: number }) {
  return (
    <>
      <progress className={styles.progress} max={100} value={percent} aria-label="received" />
      <span className="mono small">
        {count(files)} at {percent} %
      </span>
    </>
  );
}
