import { Button, CloseButton, Menu, MultiSelect, TextInput } from "@mantine/core";
import { useEffect, useState } from "react";
import type { RunState } from "../../api/types";
import { useStrategyTitles } from "../../strategies/useStrategies";
import { DATASETS } from "../spec-words";
import { COLUMNS } from "./columns";
import styles from "./RunTable.module.css";
import { isFiltered, type ListChoice, offered, STATES, toggled } from "./query";

interface FiltersProps {
  choice: ListChoice;
  change: (choice: ListChoice) => void;
  /** All tags that any run has. */
  tags: readonly string[];
  /** How many runs are in each state. */
  states: Readonly<Partial<Record<RunState, number>>>;
}

const TYPING_MS = 200;

/** What the list leaves out. */
export function Filters({ choice, change, tags, states }: FiltersProps) {
  const titleOf = useStrategyTitles();
  return (
    <div className={styles.filters}>
      <Search choice={choice} change={change} />
      <MultiSelect
        size="xs"
        aria-label="states"
        placeholder={choice.states.length > 0 ? "" : "state"}
        data={STATES.map((state) => ({ value: state, label: `${state} (${states[state] ?? 0})` }))}
        value={[...choice.states]}
        onChange={(value) => change({ ...choice, states: STATES.filter((each) => value.includes(each)) })}
        data-testid="filter-state"
      />
      <MultiSelect
        size="xs"
        aria-label="data sets"
        placeholder={choice.datasets.length > 0 ? "" : "data set"}
        data={offered("dataset").map((value) => ({ value, label: DATASETS[value as keyof typeof DATASETS] }))}
        value={[...choice.datasets]}
        onChange={(datasets) => change({ ...choice, datasets })}
      />
      <MultiSelect
        size="xs"
        aria-label="strategies"
        placeholder={choice.strategies.length > 0 ? "" : "strategy"}
        data={offered("strategy").map((value) => ({
          value,
          label: titleOf(value as Parameters<typeof titleOf>[0]),
        }))}
        value={[...choice.strategies]}
        onChange={(strategies) => change({ ...choice, strategies })}
      />
      <MultiSelect
        size="xs"
        aria-label="tags"
        placeholder={choice.tags.length > 0 ? "" : tags.length > 0 ? "tag" : "no tags yet"}
        data={[...new Set([...tags, ...choice.tags])]}
        value={[...choice.tags]}
        onChange={(value) => change({ ...choice, tags: value })}
      />
      <Menu closeOnItemClick={false} position="bottom-end">
        <Menu.Target>
          <Button variant="default" size="xs" data-testid="columns">
            Columns
          </Button>
        </Menu.Target>
        <Menu.Dropdown mah={400} className={styles.menu ?? ""}>
          {COLUMNS.filter(({ name }) => name !== "name").map(({ name, title }) => (
            <Menu.CheckboxItem
              key={name}
              checked={choice.columns.includes(name)}
              onChange={() => change({ ...choice, columns: toggled(choice.columns, name) })}
            >
              {title}
            </Menu.CheckboxItem>
          ))}
        </Menu.Dropdown>
      </Menu>
      {isFiltered(choice) && (
        <Button
          variant="subtle"
          size="xs"
          onClick={() => change({ ...choice, text: "", states: [], datasets: [], strategies: [], tags: [] })}
        >
          Show all runs
        </Button>
      )}
    </div>
  );
}

/** The server is asked when the reader pauses. */
function Search({ choice, change }: Pick<FiltersProps, "choice" | "change">) {
  const [typed, setTyped] = useState(choice.text);
  const [told, setTold] = useState(choice.text);
  if (told !== choice.text) {
    setTold(choice.text);
    setTyped(choice.text);
  }
  useEffect(() => {
    if (typed === choice.text) return undefined;
    const timer = setTimeout(() => change({ ...choice, text: typed }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, choice, change]);
  return (
    <TextInput
      size="xs"
      type="search"
      aria-label="search runs"
      placeholder="name, id, tag, notes, data set…"
      value={typed}
      onChange={(event) => setTyped(event.currentTarget.value)}
      rightSection={
        typed === "" ? null : (
          <CloseButton size="xs" aria-label="Clear the search" onClick={() => setTyped("")} />
        )
      }
      data-testid="search-runs"
    />
  );
}
