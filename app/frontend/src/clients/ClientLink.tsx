import { Link } from "wouter";
import { RUN_PARAM } from "../page/nav";
import { useStore } from "../store/store";
import { ClientName } from "./ClientName";
import styles from "./ClientLink.module.css";

/** Where all that is known of a client stands; with what it did in the run, where the reader has chosen one. */
export function clientPath(id: string, run: string | null): string {
  const path = `/clients/${encodeURIComponent(id)}`;
  return run === null ? path : `${path}?${new URLSearchParams({ [RUN_PARAM]: run }).toString()}`;
}

/** A client's name, which leads to its page. */
export function ClientLink({ id }: { id: string }) {
  const run = useStore((state) => state.chosenRun);
  return (
    <Link href={clientPath(id, run)} className={styles.link ?? ""} data-testid="client-open">
      <ClientName id={id} />
    </Link>
  );
}
