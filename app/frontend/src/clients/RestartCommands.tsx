import type { Client } from "../api/types";
import { plural } from "../format/format";
import { CopyCommand } from "../ui/CopyCommand";
import { restartCommand } from "./restart";

/** So many have their command shown; with more, the others' differ in the id alone. */
const MOST_SHOWN = 3;

interface RestartCommandsProps {
  /** What a new client would join with. */
  join: string;
  lost: readonly Client[];
}

/** How clients that are gone are started again, each on its own machine. */
export function RestartCommands({ join, lost }: RestartCommandsProps) {
  return (
    <>
      {lost.slice(0, MOST_SHOWN).map((client) => (
        <div key={client.id}>
          <p>
            {client.id} was last seen on <span className="mono">{client.host}</span>. In a terminal there:
          </p>
          <CopyCommand command={restartCommand(join, client)} testId="restart-command" />
        </div>
      ))}
      {lost.length > MOST_SHOWN && (
        <p className="dim">
          The other {plural(lost.length - MOST_SHOWN, "client")}: the same with their ids. The table of
          clients names them.
        </p>
      )}
    </>
  );
}
