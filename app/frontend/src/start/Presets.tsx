import { Button } from "@mantine/core";
import type { RunSpec } from "../api/types";
import styles from "./NewRunPage.module.css";
import { PRESETS } from "./presets";

/** Fills the form; nothing is started. */
export function Presets({ fill }: { fill: (spec: Partial<RunSpec>) => void }) {
  return (
    <div className={styles.presets} role="group" aria-label="presets">
      <span className="dim small">begin with</span>
      {PRESETS.map(({ title, about, changes }) => (
        <Button
          key={title}
          variant="default"
          size="compact-md"
          title={about}
          onClick={() => fill(changes)}
          data-testid={`preset-${title.toLowerCase().replaceAll(" ", "-")}`}
        >
          {title}
        </Button>
      ))}
    </div>
  );
}
