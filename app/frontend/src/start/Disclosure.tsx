import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import form from "./Form.module.css";
import type { FormPart, Section } from "./useStartForm";

interface DisclosureProps {
  part: FormPart;
  section: Section;
  label: string;
  /** What the hidden fields say, in words. */
  summary: string;
  children: ReactNode;
}

/** Fields that are seldom changed: closed, it says what they are set to. */
export function Disclosure({ part, section, label, summary, children }: DisclosureProps) {
  const opened = part.opened[section];
  return (
    <div className={form.more}>
      <div className={form.moreHead}>
        <Button
          variant="subtle"
          size="compact-md"
          px={0}
          aria-expanded={opened}
          aria-controls={section}
          onClick={() => part.open(section, !opened)}
          data-testid={section}
        >
          {opened ? `Hide “${label.toLowerCase()}”` : label}
        </Button>
        {!opened && <span className="dim small">{summary}</span>}
      </div>
      {opened && (
        <div className={form.fields} id={section}>
          {children}
        </div>
      )}
    </div>
  );
}
