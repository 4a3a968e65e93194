import { Link } from "wouter";
import { Charts } from "../charts/Charts";
import { LogView } from "../logs/LogView";
import { shownRun, useStore } from "../store/store";
import System from "../system/System";
import { Panel } from "../ui/Panel";
import { ClientFacts } from "./ClientFacts";
import styles from "./ClientPage.module.css";
import { useParts } from "./useParts";

interface ClientPageProps {
  id: string;
  /** Why the curves could not be loaded. */
  failure: string | null;
}

/** All that is known of one client: how it does in the shown run, what it has, what its machine does, and its log. */
export default function ClientPage({ id, failure }: ClientPageProps) {
  const loaded = useStore((state) => state.server.instance !== null);
  const known = useStore((state) => state.server.clients.some((client) => client.id === id));
  const run = useStore(shownRun);
  const hadPart = useParts(run).some((part) => part.id === id);
  const asking = useStore(({ server }) => run !== null && server.roundsKnown[run.id] !== true);
  if (!loaded) return null;
  if (!known && !hadPart) return asking && failure === null ? null : <NoSuchClient id={id} />;
  return (
    <div className={styles.page}>
      <div className={styles.left}>
        <Charts failure={failure} third={false} only={id} />
      </div>
      <div className={styles.right}>
        <ClientFacts id={id} />
        <System client={id} />
        <Panel title={`log of ${id}`} area="log">
          <LogView client={id} />
        </Panel>
      </div>
    </div>
  );
}

function NoSuchClient({ id }: { id: string }) {
  return (
    <Panel title="no such client" area="client">
      <p className={styles.missing} role="alert" data-testid="no-such-client">
        This server knows no client <span className="mono">{id}</span>: it was only here for a while, somebody
        had it forgotten, or the address is of another server. See{" "}
        <Link href="/clients">the clients that it knows</Link>.
      </p>
    </Panel>
  );
}
