import { Popover } from "@mantine/core";
import { type ReactNode, type Ref, type RefObject, type SyntheticEvent, useImperativeHandle } from "react";
import styles from "./Explained.module.css";

type Word = RefObject<HTMLButtonElement | null>;

interface ExplanationProps {
  id: string;
  /** The button at which it hangs. */
  word: Word;
  /** The id of what names it to the ear. */
  labelledBy: string;
  opened: boolean;
  close: () => void;
  children: ReactNode;
}

/** What a word opens to, over the page. */
export function Explanation({ id, word, labelledBy, opened, close, children }: ExplanationProps) {
  return (
    <Popover
      opened={opened}
      onChange={close}
      withRoles={false}
      position="bottom-start"
      width="min(480px, calc(100vw - 32px))"
      trapFocus
      withinPortal
      shadow="md"
    >
      <Popover.Target>
        <Anchor word={word} />
      </Popover.Target>
      <Popover.Dropdown
        id={id}
        role="dialog"
        aria-labelledby={labelledBy}
        className={styles.why ?? ""}
        tabIndex={-1}
        onClick={stay}
      >
        {children}
      </Popover.Dropdown>
    </Popover>
  );
}

/** Has the popover hang at a word that is on the page already: it would draw one of its own, which has no focus. */
function Anchor({ word, ref }: { word: Word; ref?: Ref<HTMLButtonElement | null> }) {
  useImperativeHandle<HTMLButtonElement | null, HTMLButtonElement | null>(ref, () => word.current, [word]);
  return null;
}

/** It hangs in the tree below what it explains, which may open something when it is pressed. */
function stay(event: SyntheticEvent): void {
  event.stopPropagation();
}
