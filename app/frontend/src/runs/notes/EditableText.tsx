import { TextInput, UnstyledButton } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { RequestFailed } from "../../api/http";
import styles from "./notes.module.css";

interface EditableTextProps {
  /** What is edited, for the ear: "name of run 7f3a". */
  label: string;
  text: string;
  placeholder: string;
  /** Rejects with RequestFailed where the server refuses it. */
  save: (text: string) => Promise<unknown>;
  /** What stands there while it is not edited. */
  children: ReactNode;
  testId: string;
}

/** A text that is changed where it stands: Enter keeps it, Escape leaves it as it was. */
export function EditableText({ label, text, placeholder, save, children, testId }: EditableTextProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const [failure, setFailure] = useState<string | null>(null);

  const leave = (): void => {
    setDraft(null);
    setFailure(null);
  };
  const keep = async (): Promise<void> => {
    if (draft === null || draft === text) {
      leave();
      return;
    }
    try {
      await save(draft);
      leave();
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      setFailure(error.fields[0]?.message ?? error.message);
    }
  };
  if (draft === null) {
    return (
      <span className={styles.text}>
        <span className={styles.shown}>{children}</span>
        <UnstyledButton
          className={styles.edit ?? ""}
          aria-label={`Change the ${label}`}
          title={`Change the ${label}`}
          onClick={() => setDraft(text)}
          data-testid={testId}
        >
          ✎
        </UnstyledButton>
      </span>
    );
  }
  return (
    <TextInput
      className={styles.input ?? ""}
      size="xs"
      autoFocus
      aria-label={label}
      placeholder={placeholder}
      value={draft}
      error={failure === null ? undefined : true}
      title={failure ?? "Enter keeps it, Escape leaves it as it was"}
      onChange={(event) => setDraft(event.currentTarget.value)}
      onKeyDown={({ key }) => {
        if (key === "Enter") void keep();
        else if (key === "Escape") leave();
      }}
      onBlur={() => void keep()}
      data-testid={`${testId}-input`}
    />
  );
}
