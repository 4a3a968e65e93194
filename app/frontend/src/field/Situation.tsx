import { StateMark } from "../ui/StateMark";
import { FieldLink } from "./FieldLink";
import styles from "./FieldPage.module.css";
import type { ClientStatus } from "./status";
import { situationWords, vouchedWords } from "./words";

/** What the client does, in sentences, and beside them how its link to the server is. */
export function Situation({ status }: { status: ClientStatus }) {
  const { learning, server } = status;
  const leftOut = vouchedWords(status);
  return (
    <div className={styles.situation}>
      <p role="status" data-testid="field-situation">
        <StateMark
          mark={
            learning ? ["play", "good"] : server?.connected === true ? ["disc", "good"] : ["ring", "quiet"]
          }
        />
        {situationWords(status)}
        {leftOut !== null && (
          <>
            <StateMark mark={["square", "bad"]} /> <span data-testid="field-left-out">{leftOut}</span>
          </>
        )}
      </p>
      {server !== null && <FieldLink server={server} />}
    </div>
  );
}
