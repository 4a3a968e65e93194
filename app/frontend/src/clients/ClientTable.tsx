import type { Client, Run } from "../api/types";
import { InviteButton } from "../enrolment/InviteButton";
import { Waiting } from "../enrolment/Waiting";
import { KeptNote } from "../runs/KeptNote";
import { isOnEngine, withoutWords } from "../runs/engine-words";
import { runApart, useStore } from "../store/store";
import { Panel } from "../ui/Panel";
import { useParam } from "../ui/useParam";
import styles from "./ClientTable.module.css";
import { ClientList } from "./ClientList";
import { MoreClients, NoClients } from "./Joining";
import { MANY } from "./many";
import { ROLE_FILTERS, RoleFilters } from "./RoleFilters";
import { RunClients } from "./RunClients";
import { countRoles } from "./roles";
import { useListed } from "./useListed";

interface ClientTableProps {
  /** It stands beside the ready check, which says what to do next. */
  checking?: boolean;
  /** Whose clients these are; without it, of what goes on: those that are there, or the shown run's where it has others. */
  of?: Run;
}

export function ClientTable({ checking = false, of }: ClientTableProps) {
  const apart = useStore(runApart);
  const { run, listed } = useListed();
  const [filter, choose] = useParam("role", ROLE_FILTERS);
  const counts = countRoles(listed.map(({ role }) => role));
  const shown = of ?? apart ?? (isOnEngine(run) ? run : null);
  const many = listed.length >= MANY;
  const waits = shown ?? (listed.length > 0 ? run : null);
  const filters = shown === null && (
    <RoleFilters counts={counts} whole={many} chosen={filter} choose={choose} />
  );
  return (
    <Panel
      title={shown === null ? "clients" : `clients of run ${shown.id}`}
      area="clients"
      beside={
        <>
          <span className={`dim small ${shown === null ? "" : styles.now}`} data-testid="client-count">
            {connectedWords(listed.map(({ client }) => client))}
            {shown !== null && " now"}
          </span>
          {!many && filters}
        </>
      }
      actions={<InviteButton />}
    >
      <Waiting />
      {many && filters}
      {!checking && <KeptNote run={shown ?? run} />}
      {!checking && shown !== null && isOnEngine(shown) && (
        <p className={`${styles.more} dim small`} data-testid="engine-note">
          {withoutWords(shown.spec)}
        </p>
      )}
      {shown !== null ? (
        <RunClients key={shown.id} run={shown} />
      ) : listed.length === 0 ? (
        <NoClients checking={checking} />
      ) : (
        <ClientList run={run} listed={listed} filter={filter} showAll={() => choose("all")} />
      )}
      {!checking && waits !== null && <MoreClients run={waits} />}
    </Panel>
  );
}

export function connectedWords(clients: readonly Client[]): string {
  return `${clients.filter(({ state }) => state !== "lost").length} connected`;
}
