import { Checkbox } from "@mantine/core";
import type { CSSProperties, KeyboardEvent, MouseEvent, ReactNode } from "react";
import { Link, useLocation } from "wouter";
import type { Run, RunListQuery } from "../../api/types";
import { useMay } from "../../login/who";
import { useStore } from "../../store/store";
import { useStrategyTitles } from "../../strategies/useStrategies";
import { StateMark } from "../../ui/StateMark";
import type { RowFocus } from "../../ui/useRowKeys";
import { Ago, Value } from "../../ui/Value";
import { RUN_MARKS } from "../marks";
import { EditableText } from "../notes/EditableText";
import { Tags } from "../notes/RunNotes";
import { tagsIn, useChangeRun } from "../notes/useChangeRun";
import { situation } from "../run-words";
import { specWords } from "../spec-words";
import { cellOf, type Column } from "./columns";
import styles from "./RunTable.module.css";
import { useRunAt } from "./useRunPage";

interface RunRowProps {
  query: RunListQuery;
  place: number;
  columns: readonly Column[];
  line: CSSProperties;
  focus: RowFocus | undefined;
  selected: readonly string[];
  toggle: (id: string) => void;
}

/** The run at a place of the list; an empty line until it is there. */
export function RunRow({ query, place, columns, line, focus, selected, toggle }: RunRowProps) {
  const { run, received } = useRunAt(query, place);
  const titleOf = useStrategyTitles();
  const now = useStore((state) => (run?.finished_at == null ? state.now : 0));
  const [, go] = useLocation();
  if (run === undefined) return <div role="row" className={styles.line} style={line} {...focus} />;
  const isSelected = selected.includes(run.id);
  const open = (): void => go(`/runs/${run.id}/curves`);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    if (event.key === "Enter") open();
    else toggle(run.id);
  };
  return (
    <div
      role="row"
      className={`${styles.line} ${styles.run}`}
      style={line}
      aria-selected={isSelected}
      title={[specWords(run.spec, titleOf), situation(run), run.notes].filter(Boolean).join("\n")}
      onClick={(event) => {
        if (!isForControl(event)) open();
      }}
      onKeyDown={onKeyDown}
      {...focus}
      data-testid="run-row"
      data-run={run.id}
      data-state={run.state}
    >
      <span role="gridcell">
        <Checkbox
          size="xs"
          checked={isSelected}
          onChange={() => toggle(run.id)}
          aria-label={`select run ${run.name ?? run.id}`}
          data-testid="select-run"
        />
      </span>
      {columns.map((column) => (
        <span key={column.name} role="gridcell" className={styles.cell} data-number={column.number}>
          {bodyOf(column, run, () => cellOf(column.name, run, { titleOf, received, now }))}
        </span>
      ))}
    </div>
  );
}

function bodyOf({ name }: Column, run: Run, cell: () => ReturnType<typeof cellOf>): ReactNode {
  switch (name) {
    case "state":
      return (
        <span className={styles.state}>
          <StateMark mark={RUN_MARKS[run.state]} />
          {run.state}
        </span>
      );
    case "name":
      return <Name run={run} />;
    case "started":
      return <Ago time={run.started_at ?? run.created_at} />;
    default: {
      const { text, why } = cell();
      return <Value text={text} why={why} />;
    }
  }
}

/** Name and tags in one text, which is changed as "name #tag, tag". */
function Name({ run }: { run: Run }) {
  const mayChange = useMay("operator");
  const change = useChangeRun(run.id);
  const shown = (
    <>
      <Link href={`/runs/${run.id}/curves`} className={run.name === null ? "mono" : "ellipsis"}>
        {run.name ?? run.id}
      </Link>
      <Tags tags={run.tags} />
    </>
  );
  if (!mayChange) return <span className={styles.name}>{shown}</span>;
  return (
    <EditableText
      label={`name and #tags of run ${run.id}`}
      text={nameAndTags(run)}
      placeholder="name #tag, tag"
      save={(text) => {
        const [name = "", ...tags] = text.split("#");
        return change({ name: name.trim(), tags: tags.flatMap(tagsIn) });
      }}
      testId="edit-run"
    >
      {shown}
    </EditableText>
  );
}

function nameAndTags({ name, tags }: Run): string {
  return [name ?? "", tags.length > 0 ? `#${tags.join(", ")}` : ""].filter(Boolean).join(" ");
}

/** Links and buttons within a row do what they say. */
function isForControl({ target }: MouseEvent): boolean {
  return target instanceof Element && target.closest("a, button, input, label") !== null;
}
