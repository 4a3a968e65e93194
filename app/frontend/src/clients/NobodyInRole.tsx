import { Button } from "@mantine/core";
import styles from "./ClientTable.module.css";
import { type ClientRole, roleWord } from "./roles";

/** In place of a list that is shown of one role alone. */
export function NobodyInRole({ role, showAll }: { role: ClientRole; showAll: () => void }) {
  return (
    <p className={styles.none} data-testid="no-such-client">
      No client is {role === "apart" ? "without a part" : roleWord(role)} now.{" "}
      <Button variant="default" size="compact-sm" onClick={showAll}>
        Show all
      </Button>
    </p>
  );
}
