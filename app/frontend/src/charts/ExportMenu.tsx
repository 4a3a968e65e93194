import { Menu } from "@mantine/core";
import styles from "./ViewControls.module.css";

export type FileKind = "png" | "svg" | "csv";
const FILES: readonly [FileKind, string][] = [
  ["png", "PNG picture"],
  ["svg", "SVG drawing"],
  ["csv", "CSV of what is shown"],
];

interface ExportMenuProps {
  /** Of which chart. */
  title: string;
  testId: string;
  save: (kind: FileKind) => void;
}

/** What is shown of a chart, as a file. */
export function ExportMenu({ title, testId, save }: ExportMenuProps) {
  return (
    <Menu position="bottom-end" transitionProps={{ duration: 0 }} keepMounted={false}>
      <Menu.Target>
        <button
          type="button"
          className={styles.toggle}
          aria-label={`save the chart of ${title}`}
          data-testid={`save-${testId}`}
        >
          save
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {FILES.map(([kind, words]) => (
          <Menu.Item key={kind} onClick={() => save(kind)} data-testid={`save-${testId}-${kind}`}>
            {words}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
