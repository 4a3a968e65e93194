import { Button } from "@mantine/core";
import { Fragment, useRef, useState } from "react";
import styles from "./CopyCommand.module.css";

/** A command line with a button that copies it. */
export function CopyCommand({ command, testId }: { command: string; testId: string }) {
  const code = useRef<HTMLElement>(null);
  const [copied, setCopied] = useState<"no" | "yes" | "selected">("no");

  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(command);
      setCopied("yes");
    } catch {
      // Over plain HTTP from another machine the browser has no clipboard for us: mark the text instead.
      if (code.current !== null) window.getSelection()?.selectAllChildren(code.current);
      setCopied("selected");
    }
  }

  return (
    <div className={styles.command}>
      <code ref={code} className={styles.code} data-testid={testId}>
        {command.split(" ").map((word, at) => (
          <Fragment key={at}>
            {at > 0 && " "}
            <span className={styles.word}>{word}</span>
          </Fragment>
        ))}
      </code>
      <Button variant="default" size="compact-md" miw={88} onClick={() => void copy()}>
        {copied === "yes" ? "Copied" : "Copy"}
      </Button>
      <span className={copied === "selected" ? "dim small" : "hidden-visually"} role="status">
        {copied === "yes" && "copied"}
        {copied === "selected" &&
          "The browser does not let this page copy; the command is selected, press Ctrl+C."}
      </span>
    </div>
  );
}
