import { Popover, UnstyledButton } from "@mantine/core";
import type { ReactNode, SyntheticEvent } from "react";
import styles from "./Explained.module.css";

interface ExplainedProps {
  /** What there is no room for: on hover, by the keyboard, and on a screen that is touched. */
  why: string;
  /** What it is to the ear, where that is not what is seen. */
  label?: string | undefined;
  /** As a word that opens (by default); as what stands everywhere and opens too; or like that, as wide as there is room. */
  look?: "word" | "plain" | "wide";
  children: ReactNode;
}

/** A word or number that opens to what it means, or to all of it. */
export function Explained({ why, label, look = "word", children }: ExplainedProps) {
  return (
    <Popover
      position="bottom-start"
      width="min(480px, calc(100vw - 32px))"
      trapFocus
      withinPortal
      shadow="md"
    >
      <Popover.Target>
        <UnstyledButton className={`${styles.opens} ${styles[look]}`} title={why} aria-label={label}>
          {children}
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown className={styles.why ?? ""} tabIndex={-1} onClick={stay}>
        {why}
      </Popover.Dropdown>
    </Popover>
  );
}

/** It hangs in the tree below what it explains, which may open something when it is pressed. */
function stay(event: SyntheticEvent): void {
  event.stopPropagation();
}
