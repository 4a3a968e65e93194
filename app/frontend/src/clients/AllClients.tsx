import { Button, CloseButton, TextInput } from "@mantine/core";
import { useMemo } from "react";
import { useSearchParams } from "wouter";
import { useShallow } from "zustand/react/shallow";
import type { Run } from "../api/types";
import { count } from "../format/format";
import { whyKept } from "../runs/privacy-words";
import { clientsRun, roundsOf, useStore } from "../store/store";
import { VirtualRows } from "../ui/VirtualRows";
import styles from "./AllClients.module.css";
import {
  choiceOf,
  chosen,
  COLUMNS,
  type Column,
  type Known,
  paramsOf,
  sortedBy,
  type TableChoice,
} from "./all";
import { KnownRow } from "./KnownRow";
import type { Listed } from "./order";
import { deliveredIn } from "./parts";
import { latestResults } from "./results";
import { RoleFilters } from "./RoleFilters";
import { countRoles, roundInProgress } from "./roles";
import { latestSpent } from "./spent";
import { useDelivered } from "./useDelivered";

interface AllClientsProps {
  /** Whose numbers the clients show. */
  run: Run | null;
  listed: readonly Listed[];
}

/** A line for each client; search, filter and order stand in the address. */
export function AllClients({ run, listed }: AllClientsProps) {
  const [params, setParams] = useSearchParams();
  const choice = useMemo(() => choiceOf(params), [params]);
  const change = (next: TableChoice): void => setParams(paramsOf(next), { replace: true });
  const all = useKnown(run, listed);
  const shown = useMemo(() => chosen(all, choice), [all, choice]);
  return (
    <>
      <div className={styles.filters}>
        <TextInput
          size="xs"
          type="search"
          aria-label="search clients"
          placeholder="id, key, host, data set…"
          value={choice.text}
          onChange={(event) => change({ ...choice, text: event.currentTarget.value })}
          rightSection={
            choice.text === "" ? null : (
              <CloseButton
                size="xs"
                aria-label="Clear the search"
                onClick={() => change({ ...choice, text: "" })}
              />
            )
          }
          data-testid="search-clients"
        />
        <RoleFilters
          counts={countRoles(listed.map(({ role }) => role))}
          whole
          chosen={choice.role}
          choose={(role) => change({ ...choice, role })}
        />
      </div>
      {shown.length === 0 ? (
        <p className={styles.none} data-testid="no-such-client">
          None of {count(all.length)} clients is like this.{" "}
          <Button
            variant="default"
            size="compact-sm"
            onClick={() => change({ ...choice, text: "", role: "all" })}
          >
            Show all
          </Button>
        </p>
      ) : (
        <VirtualRows
          role="table"
          label="clients"
          testId="clients"
          count={shown.length}
          rowHeight={32}
          even
          keyOf={(index) => shown[index]?.client.id ?? index}
          wanted={JSON.stringify(choice)}
          head={
            <div role="rowgroup" className={styles.head}>
              <div role="row" className={styles.line}>
                {COLUMNS.map((column) => (
                  <Head
                    key={column.name}
                    column={column}
                    choice={choice}
                    press={() => change(sortedBy(choice, column))}
                  />
                ))}
              </div>
            </div>
          }
          render={(index) => {
            const known = shown[index];
            return known && <KnownRow known={known} run={run} kept={whyKept(run?.spec)} />;
          }}
        />
      )}
    </>
  );
}

/** The clients with what they have done in the run. */
function useKnown(run: Run | null, listed: readonly Listed[]): readonly Known[] {
  const rounds = useStore((state) => roundsOf(state, clientsRun(state)));
  // The same array until another is complete: it has all clients' parts in all rounds.
  const complete = useStore(
    useShallow((state) => roundsOf(state, clientsRun(state)).filter((round) => round.complete)),
  );
  const latest = useMemo(() => latestResults(complete, complete.length), [complete]);
  const counted = useMemo(() => deliveredIn(complete), [complete]);
  const spends = run?.spec.dp != null;
  const spent = useMemo(() => latestSpent(spends ? complete : []), [spends, complete]);
  const delivered = useDelivered(run);
  const now = roundInProgress(run, rounds)?.per_client;
  return useMemo(
    () =>
      listed.map((each) => {
        const { id } = each.client;
        return {
          ...each,
          rounds: latest.has(id) ? ((delivered ?? counted).get(id) ?? 0) : null,
          delivered: now?.[id]?.train_s ?? null,
          latest: latest.get(id),
          spent: spent.get(id),
        };
      }),
    [listed, latest, counted, delivered, spent, now],
  );
}

function Head({ column, choice, press }: { column: Column; choice: TableChoice; press: () => void }) {
  const sorted = choice.sort === column.name;
  return (
    <span
      role="columnheader"
      aria-sort={sorted ? (choice.order === "asc" ? "ascending" : "descending") : "none"}
      data-number={column.number}
    >
      <button
        type="button"
        className={styles.sort}
        title={column.about}
        onClick={press}
        data-testid={`sort-${column.name}`}
      >
        {column.name}
        <span aria-hidden="true">{sorted ? (choice.order === "asc" ? " ↑" : " ↓") : ""}</span>
      </button>
    </span>
  );
}
