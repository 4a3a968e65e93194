import type { Client } from "../api/types";
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
import { PastClients } from "./PastClients";
import { ROLE_FILTERS, RoleFilters } from "./RoleFilters";
import { countRoles } from "./roles";
import { useListed } from "./useListed";

/** `checking`: it stands beside the ready check, which says what to do next. */
export function ClientTable({ checking = false }: { checking?: boolean }) {
  const apart = useStore(runApart);
  const { run, listed } = useListed();
  const [filter, choose] = useParam("role", ROLE_FILTERS);
  const counts = countRoles(listed.map(({ role }) => role));
  const shown = apart ?? (isOnEngine(run) ? run : null);
  const many = listed.length >= MANY;
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
      {!checking && <KeptNote run={apart ?? run} />}
      {!checking && shown !== null && isOnEngine(shown) && (
        <p className={`${styles.more} dim small`} data-testid="engine-note">
          {withoutWords(shown.spec)}
        </p>
      )}
      {shown !== null ? (
        <PastClients key={shown.id} run={shown} />
      ) : listed.length === 0 ? (
        <NoClients checking={checking} />
      ) : (
        <ClientList run={run} listed={listed} filter={filter} showAll={() => choose("all")} />
      )}
      {shown === null && listed.length > 0 && run !== null && !checking && <MoreClients run={run} />}
    </Panel>
  );
}

export function connectedWords(clients: readonly Client[]): string {
  return `${clients.filter(({ state }) => state !== "lost").length} connected`;
}
