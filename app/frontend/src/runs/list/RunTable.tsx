import { useMediaQuery } from "@mantine/hooks";
import { useMemo } from "react";
import type { RunList, RunListQuery } from "../../api/types";
import { VirtualRows } from "../../ui/VirtualRows";
import { type Column, gridOf, leastWidth, shownColumns } from "./columns";
import { type ListChoice, queryOf, sortedBy, toggled } from "./query";
import { RunRow } from "./RunRow";
import styles from "./RunTable.module.css";

interface RunTableProps {
  choice: ListChoice;
  change: (choice: ListChoice) => void;
  list: RunList;
}

/** The runs that are wanted; those in view are asked for as the reader comes to them. */
export function RunTable({ choice, change, list }: RunTableProps) {
  const narrow = useMediaQuery("(width < 640px)", false);
  const query: RunListQuery = useMemo(() => queryOf(choice), [choice]);
  const columns = useMemo(() => shownColumns(choice.columns, narrow), [choice.columns, narrow]);
  const line = { gridTemplateColumns: gridOf(columns, narrow), minWidth: leastWidth(columns, narrow) };
  return (
    <VirtualRows
      role="grid"
      label="runs"
      testId="runs"
      count={list.total}
      rowHeight={32}
      keyOf={(index) => index}
      wanted={JSON.stringify(query)}
      roving
      head={
        <div role="rowgroup" className={styles.head} style={{ minWidth: line.minWidth }}>
          <div role="row" className={styles.line} style={line}>
            <span role="columnheader">
              <span className="hidden-visually">selected</span>
            </span>
            {columns.map((column) => (
              <Head
                key={column.name}
                column={column}
                choice={choice}
                press={() => change(sortedBy(choice, column.sort))}
              />
            ))}
          </div>
        </div>
      }
      render={(index, focus) => (
        <RunRow
          query={query}
          place={index}
          columns={columns}
          line={line}
          focus={focus}
          selected={choice.selected}
          toggle={(id) => change({ ...choice, selected: toggled(choice.selected, id) })}
        />
      )}
    />
  );
}

function Head({ column, choice, press }: { column: Column; choice: ListChoice; press: () => void }) {
  const sorted = choice.sort === column.sort;
  const order = choice.order === "asc" ? "ascending" : "descending";
  return (
    <span role="columnheader" aria-sort={sorted ? order : "none"} data-number={column.number}>
      <button type="button" className={styles.sort} onClick={press} data-testid={`sort-${column.name}`}>
        {column.title}
        <span aria-hidden="true">{sorted ? (choice.order === "asc" ? " ↑" : " ↓") : ""}</span>
      </button>
    </span>
  );
}
