import { Button, Textarea } from "@mantine/core";
import { useState } from "react";
import { RequestFailed } from "../../api/http";
import type { Run } from "../../api/types";
import { useMay } from "../../login/who";
import { EditableText } from "./EditableText";
import styles from "./notes.module.css";
import { tagsIn, useChangeRun } from "./useChangeRun";

/** What people say of a run: its name, tags and notes. */
export function RunNotes({ run }: { run: Run }) {
  const mayChange = useMay("operator");
  const change = useChangeRun(run.id);
  const name = <strong>{run.name ?? ""}</strong>;
  const tags = <Tags tags={run.tags} />;
  if (!mayChange) {
    return (
      <div className={styles.notes}>
        {run.name !== null && name}
        {tags}
        {run.notes !== null && <p className={styles.said}>{run.notes}</p>}
      </div>
    );
  }
  return (
    <div className={styles.notes} data-testid="run-notes">
      <EditableText
        label={`name of run ${run.id}`}
        text={run.name ?? ""}
        placeholder="name"
        save={(text) => change({ name: text })}
        testId="run-name"
      >
        {run.name === null ? <span className="dim">no name</span> : name}
      </EditableText>
      <EditableText
        label={`tags of run ${run.id}`}
        text={run.tags.join(", ")}
        placeholder="tags, with commas between them"
        save={(text) => change({ tags: tagsIn(text) })}
        testId="run-tags"
      >
        {run.tags.length === 0 ? <span className="dim">no tags</span> : tags}
      </EditableText>
      <Notes key={run.notes} run={run} save={(notes) => change({ notes })} />
    </div>
  );
}

export function Tags({ tags }: { tags: readonly string[] }) {
  return (
    <>
      {tags.map((tag) => (
        <span key={tag} className={styles.tag}>
          {tag}
        </span>
      ))}
    </>
  );
}

function Notes({ run, save }: { run: Run; save: (notes: string) => Promise<void> }) {
  const [draft, setDraft] = useState<string | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  if (draft === null) {
    return (
      <div className={styles.said}>
        {run.notes}
        <Button
          variant="subtle"
          size="compact-sm"
          onClick={() => setDraft(run.notes ?? "")}
          data-testid="notes"
        >
          {run.notes === null ? "Add notes" : "Change notes"}
        </Button>
      </div>
    );
  }
  const keep = async (): Promise<void> => {
    try {
      await save(draft);
      setDraft(null);
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      setFailure(error.message);
    }
  };
  return (
    <div className={styles.writing}>
      <Textarea
        aria-label={`notes on run ${run.id}`}
        autosize
        autoFocus
        maxRows={8}
        value={draft}
        error={failure}
        onChange={(event) => setDraft(event.currentTarget.value)}
        data-testid="notes-input"
      />
      <Button size="compact-sm" onClick={() => void keep()} data-testid="notes-save">
        Keep notes
      </Button>
      <Button variant="subtle" size="compact-sm" onClick={() => setDraft(null)}>
        Leave as they were
      </Button>
    </div>
  );
}
