import { Select } from "@mantine/core";
import styles from "./MetricSelect.module.css";
import type { Slot } from "./choice";
import { keyOf, type Metric, titleOf } from "./metrics";
import { PANELS, type PanelKind } from "./view";

const NAMES: Record<Slot, string> = {
  accuracy: "metric of the upper chart",
  loss: "metric of the lower chart",
};

/** Before a panel's name among the metrics; no stage of an app has a colon. */
const PANEL = "panel:";

interface MetricSelectProps {
  slot: Slot;
  shown: Metric;
  offered: readonly Metric[];
  choose: (key: string) => void;
  /** What else the chart can give way to; null: to nothing. */
  panels: { shown: PanelKind | null; choose: (panel: PanelKind) => void } | null;
}

/** In place of a chart's title where a run has other numbers than accuracy and loss; typing filters them. */
export function MetricSelect({ slot, shown, offered, choose, panels }: MetricSelectProps) {
  const key = keyOf(shown);
  const listed = offered.some((metric) => keyOf(metric) === key) ? offered : [shown, ...offered];
  const panel = panels?.shown ?? null;
  const titles = [
    ...listed.map((metric) => ({ value: keyOf(metric), label: titleOf(metric) })),
    ...(panels === null ? [] : PANELS.map((each) => ({ value: PANEL + each, label: `${each} per round` }))),
  ];
  return (
    <Select
      className={styles.select ?? ""}
      classNames={{ input: styles.input ?? "", option: styles.option ?? "" }}
      aria-label={NAMES[slot]}
      data={titles}
      value={panel === null ? key : PANEL + panel}
      onChange={(chosen) => {
        const other = PANELS.find((each) => PANEL + each === chosen);
        if (other !== undefined) panels?.choose(other);
        else if (chosen !== null) choose(chosen);
      }}
      // Typing is to begin a search, not to go on with the name that stands there.
      onFocus={(event) => event.currentTarget.select()}
      title={panel === null ? titleOf(shown) : `${panel} per round`}
      searchable
      selectFirstOptionOnChange
      // Otherwise a timer points to the chosen option, and where it comes after a fast reader's first key, Enter takes nothing.
      selectFirstOptionOnDropdownOpen
      allowDeselect={false}
      withAlignedLabels
      nothingFoundMessage="the run has no such number"
      size="xs"
      comboboxProps={{
        width: 280,
        position: "bottom-start",
        transitionProps: { duration: 0 },
        keepMounted: false, // an app may have hundreds
      }}
      data-testid={`metric-${slot}`}
    />
  );
}
