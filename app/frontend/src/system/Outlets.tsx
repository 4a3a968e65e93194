import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { fetchOutlets, testWebhook } from "../api/requests";
import type { TrackerStatus, WebhookStatus } from "../api/types";
import { ago, count, plural } from "../format/format";
import { useMay } from "../login/who";
import { useStore } from "../store/store";
import { Panel } from "../ui/Panel";
import { StateMark } from "../ui/StateMark";
import styles from "./Outlets.module.css";

const EVERY_MS = 5_000;

/** Webhook and trackers, if the server was started with any: how they go, and why one does not. */
export function Outlets() {
  const instance = useStore((state) => state.server.instance);
  const connected = useStore((state) => state.connection.state === "connected");
  const { data, refetch } = useQuery({
    queryKey: ["outlets", instance],
    queryFn: fetchOutlets,
    enabled: connected,
    // One that has none gets none while it runs.
    refetchInterval: ({ state }) => (isEmpty(state.data) ? false : EVERY_MS),
  });
  if (data === undefined || isEmpty(data)) return null;
  return (
    <Panel title="told by the server" area="outlets">
      <ul className={styles.outlets} data-testid="outlets">
        {data.webhook !== null && <Webhook webhook={data.webhook} sent={() => void refetch()} />}
        {data.trackers.map((tracker) => (
          <Tracker key={`${tracker.kind}:${tracker.where}`} tracker={tracker} />
        ))}
      </ul>
    </Panel>
  );
}

function isEmpty(data: { webhook: unknown; trackers: readonly unknown[] } | undefined): boolean {
  return data?.webhook === null && data.trackers.length === 0;
}

function Webhook({ webhook, sent }: { webhook: WebhookStatus; sent: () => void }) {
  const now = useStore((state) => state.now);
  const isAdmin = useMay("admin");
  const test = useMutation({ mutationFn: testWebhook, onSuccess: sent });
  return (
    <Outlet
      kind="webhook"
      where={webhook.receiver}
      works={webhook.problem === null}
      words={wordsOf(webhook, now)}
    >
      {isAdmin && (
        <Button
          variant="default"
          size="compact-sm"
          loading={test.isPending}
          onClick={() => test.mutate()}
          data-testid="test-webhook"
        >
          Send a test
        </Button>
      )}
      {test.error !== null && <span role="alert">{test.error.message}</span>}
    </Outlet>
  );
}

function Tracker({ tracker: { kind, where, problem } }: { tracker: TrackerStatus }) {
  const words = problem === null ? "written as runs go on" : `not written: ${problem}. Tried again by itself`;
  return <Outlet kind={kind} where={where} works={problem === null} words={words} />;
}

interface OutletProps {
  kind: string;
  where: string;
  works: boolean;
  words: string;
  children?: ReactNode;
}

function Outlet({ kind, where, works, words, children }: OutletProps) {
  return (
    <li className={styles.outlet} data-testid="outlet">
      <StateMark mark={works ? ["check", "good"] : ["triangle", "warn"]} />
      <span>{kind}</span>
      <span className="mono small">{where}</span>
      <span className="dim">{words}</span>
      {children}
    </li>
  );
}

function wordsOf({ waiting, delivered, delivered_at, lost, problem }: WebhookStatus, now: number): string {
  const parts = [
    delivered === 0
      ? "none has arrived yet"
      : `${count(delivered)} arrived, the newest ${ago(now - (delivered_at ?? now))}`,
    waiting > 0 ? plural(waiting, "waits", "wait") : null,
    lost > 0 ? `${count(lost)} lost, as the log says` : null,
    problem === null ? null : `${problem}. Tried again by itself`,
  ];
  return parts.filter((part) => part !== null).join("; ");
}
