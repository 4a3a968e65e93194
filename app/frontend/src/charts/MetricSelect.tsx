import { Select } from "@mantine/core";
import styles from "./MetricSelect.module.css";
import type { Slot } from "./choice";
import { keyOf, type Metric, titleOf } from "./metrics";

const NAMES: Record<Slot, string> = {
  accuracy: "metric of the upper chart",
  loss: "metric of the lower chart",
};

interface MetricSelectProps {
  slot: Slot;
  shown: Metric;
  offered: readonly Metric[];
  choose: (key: string) => void;
}

/** In place of a chart's title where a run has other numbers than accuracy and loss; typing filters them. */
export function MetricSelect({ slot, shown, offered, choose }: MetricSelectProps) {
  const key = keyOf(shown);
  const listed = offered.some((metric) => keyOf(metric) === key) ? offered : [shown, ...offered];
  return (
    <Select
      className={styles.select ?? ""}
      classNames={{ input: styles.input ?? "", option: styles.option ?? "" }}
      aria-label={NAMES[slot]}
      data={listed.map((metric) => ({ value: keyOf(metric), label: titleOf(metric) }))}
      value={key}
      onChange={(chosen) => {
        if (chosen !== null) choose(chosen);
      }}
      // Typing is to begin a search, not to go on with the name that stands there.
      onFocus={(event) => event.currentTarget.select()}
      title={titleOf(shown)}
      searchable
      selectFirstOptionOnChange
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
