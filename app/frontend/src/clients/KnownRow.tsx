import type { ReactNode } from "react";
import type { Run } from "../api/types";
import { shortKey } from "../enrolment/applicants";
import { bytes, count, epsilon, NO_DATA } from "../format/format";
import type { Kept } from "../runs/privacy-words";
import { clientHovered } from "../store/store";
import { Ago, Value } from "../ui/Value";
import styles from "./AllClients.module.css";
import { carried, COLUMNS, type Known, refused } from "./all";
import { Accuracy } from "./ClientCells";
import { ClientLink } from "./ClientLink";
import { RoleState } from "./RoleState";
import { spentTitle } from "./spent";
import { countsTitle } from "./verdicts";

const NOT_CARRIED = "counted at its replies, since the server was started";

interface KnownRowProps {
  known: Known;
  run: Run | null;
  /** Why the run's clients do not tell their own numbers; null: they do. */
  kept: Kept | null;
}

/** One client in one line. */
export function KnownRow({ known, run, kept }: KnownRowProps) {
  const { client, role } = known;
  return (
    <div
      role="row"
      className={styles.line}
      data-testid="client-row"
      data-client={client.id}
      data-state={client.state}
      data-role={role}
      onPointerEnter={() => clientHovered(client.id)}
      onPointerLeave={() => clientHovered(null)}
    >
      {COLUMNS.map(({ name, number }) => (
        <span key={name} role="cell" className={styles.cell} data-number={number} data-column={name}>
          {cellOf(name, known, run, kept)}
        </span>
      ))}
    </div>
  );
}

function cellOf(name: string, known: Known, run: Run | null, kept: Kept | null): ReactNode {
  const { client, role, rounds, delivered, latest, spent } = known;
  switch (name) {
    case "client":
      return <ClientLink id={client.id} />;
    case "state":
      return <RoleState client={client} role={role} delivered={delivered} bar />;
    case "key":
      return (
        <span className="mono">
          <Value
            text={client.key === null ? NO_DATA : shortKey(client.key)}
            why="it has no key"
            about={client.key ?? undefined}
          />
        </span>
      );
    case "host":
      return <Value text={client.host || NO_DATA} why="its machine is not known" />;
    case "device":
      return <Value text={client.device || NO_DATA} why="it has not told" />;
    case "data set":
      return client.app ?? client.dataset;
    case "samples":
      return (
        <Value text={count(client.samples)} why={kept?.samples ?? "known once it takes part in a run"} />
      );
    case "seen":
      return <Ago time={client.last_seen} />;
    case "rounds":
      return (
        <Value
          text={rounds === null || run === null ? NO_DATA : `${count(rounds)} of ${count(run.round)}`}
          why="it has no part in this run"
        />
      );
    case "accuracy":
      return (
        <span data-testid="client-accuracy">
          <Accuracy client={client} latest={latest} kept={kept} />
        </span>
      );
    case "received":
      return <Value text={bytes(carried(client.bytes_received))} why={NOT_CARRIED} />;
    case "sent":
      return <Value text={bytes(carried(client.bytes_sent))} why={NOT_CARRIED} />;
    case "refused":
      return (
        <span data-testid="client-refused">
          <Value
            text={count(refused(client.verdicts))}
            why="none of its replies was judged yet"
            about={countsTitle(client)}
          />
        </span>
      );
    default:
      return (
        <Value
          text={epsilon(spent?.epsilon)}
          why="it spends nothing in this run"
          about={spent && spentTitle(spent)}
        />
      );
  }
}
