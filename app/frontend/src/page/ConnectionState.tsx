import { clock, exactTime } from "../format/format";
import { type Connection, useStore } from "../store/store";
import { Explained } from "../ui/Explained";
import { type Mark, StateMark } from "../ui/StateMark";
import styles from "./Header.module.css";

const MARKS: Record<Connection["state"], Mark> = {
  connecting: ["ring", "quiet"],
  connected: ["disc", "good"],
  reconnecting: ["half", "warn"],
  unreachable: ["cross", "bad"],
};

function words({ state, since }: Connection): string {
  switch (state) {
    case "connecting":
      return "connecting";
    case "connected":
      return "connected";
    case "reconnecting":
      return `reconnecting since ${clock(since)}`;
    case "unreachable":
      return `server unreachable since ${clock(since)}`;
  }
}

/** In words, since a page that shows old values must say so. */
export function ConnectionState() {
  const connection = useStore((state) => state.connection);
  const knows = useStore((state) => state.server.instance !== null);
  const stale = connection.state === "reconnecting" || connection.state === "unreachable";
  return (
    <p className={styles.connection} data-state={connection.state} data-testid="connection" role="status">
      <StateMark mark={MARKS[connection.state]} />
      <Explained
        why={`since ${exactTime(connection.since)}${stale && knows ? "; values are from before, the page tries again by itself" : ""}`}
        look="plain"
      >
        {words(connection)}
      </Explained>
    </p>
  );
}
