import { type ReactNode, useId, useRef } from "react";
import styles from "./Explained.module.css";
import { Explanation } from "./Explanation";
import { useOpened } from "./useOpened";

interface ExplainedProps {
  /** What there is no room for: on hover, by the keyboard, and on a screen that is touched. */
  why: string;
  /** What it is to the ear, where that is not what is seen. */
  label?: string | undefined;
  /** As a word that opens (by default); as what stands everywhere and opens too; or like that, as wide as there is room. */
  look?: "word" | "plain" | "wide";
  children: ReactNode;
}

/** A word or number that opens to what it means, or to all of it. There may be ten in each row of a table. */
export function Explained({ why, label, look = "word", children }: ExplainedProps) {
  const word = useRef<HTMLButtonElement>(null);
  const wordId = useId();
  const whyId = `${wordId}-why`;
  const { made, opened, open, close } = useOpened();
  return (
    <>
      <button
        ref={word}
        id={wordId}
        type="button"
        className={`${styles.opens} ${styles[look]}`}
        title={why}
        aria-label={label}
        aria-haspopup="dialog"
        aria-expanded={opened}
        aria-controls={opened ? whyId : undefined}
        onClick={opened ? close : open}
      >
        {children}
      </button>
      {made && (
        <Explanation id={whyId} word={word} labelledBy={wordId} opened={opened} close={close}>
          {why}
        </Explanation>
      )}
    </>
  );
}
