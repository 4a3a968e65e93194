import { InviteButton } from "../enrolment/InviteButton";
import { Waiting } from "../enrolment/Waiting";
import { LocalClients } from "../ready/LocalClients";
import { KeptNote } from "../runs/KeptNote";
import { Panel } from "../ui/Panel";
import { AllClients } from "./AllClients";
import styles from "./ClientsPage.module.css";
import { connectedWords } from "./ClientTable";
import { MoreClients, NoClients } from "./Joining";
import { useListed } from "./useListed";

/** All clients that the server knows, whatever they do now; those that wait to be let in stand first. */
export default function ClientsPage() {
  const { run, listed } = useListed();
  return (
    <div className={styles.clients}>
      <Panel
        title="clients"
        area="clients"
        beside={
          <span className="dim small" data-testid="client-count">
            {connectedWords(listed.map(({ client }) => client))}
          </span>
        }
        actions={<InviteButton />}
      >
        <Waiting />
        <div className={styles.local}>
          <LocalClients missing={1} dataset={null} />
        </div>
        {listed.length > 0 && <KeptNote run={run} />}
        {listed.length === 0 ? <NoClients checking={false} /> : <AllClients run={run} listed={listed} />}
        {listed.length > 0 && run !== null && <MoreClients run={run} />}
      </Panel>
    </div>
  );
}
