import { Button } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import { RequestFailed } from "../api/http";
import { createRun } from "../api/requests";
import type { Run } from "../api/types";
import { count, plural } from "../format/format";
import { useMay } from "../login/who";
import { FIRST_LOOK } from "../start/presets";
import { CommandButton } from "../ui/CommandButton";
import type { Wanted } from "./ready";
import styles from "./Ready.module.css";

interface StartStepProps {
  /** The one that waits; null: there is none yet. */
  run: Run | null;
  wanted: Wanted;
  missing: number;
}

/** The last step: a first run in one click, or the form. */
export function StartStep({ run, wanted, missing }: StartStepProps) {
  const mayRun = useMay("operator");
  if (run !== null) {
    const once = missing === 1 ? "1 more client that fits is" : `${count(missing)} more clients that fit are`;
    return <p className="dim">It does so once {once} there.</p>;
  }
  if (!mayRun) return <p className="dim">Somebody with the role operator can start one.</p>;
  return <Start wanted={wanted} />;
}

function Start({ wanted }: { wanted: Wanted }) {
  const [failure, setFailure] = useState<string | null>(null);
  const [sending, setSending] = useState(false);

  async function look(): Promise<void> {
    setSending(true);
    setFailure(null);
    try {
      const { dataset, min_clients } = wanted;
      await createRun({ ...FIRST_LOOK.changes, dataset, min_clients });
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      setFailure(error.message);
    } finally {
      setSending(false);
    }
  }

  return (
    <>
      <div className={styles.buttons}>
        {wanted.app === null && (
          <CommandButton
            label="First look"
            busy="Starting…"
            taken={sending}
            press={() => void look()}
            testId="first-look"
          />
        )}
        <Button component={Link} href="/new" variant="default" size="compact-md" data-testid="ready-new-run">
          Choose the settings…
        </Button>
      </div>
      {wanted.app === null && (
        <p className="dim">
          First look: {plural(FIRST_LOOK.changes.num_rounds ?? 0, "round")} on {wanted.dataset}, the same mix
          for every client. A run that lacks clients waits for them.
        </p>
      )}
      {failure !== null && (
        <p className={styles.failure} role="alert" data-testid="first-look-failure">
          {failure}
        </p>
      )}
    </>
  );
}
