import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { RequestFailed } from "../api/http";
import { fetchInvitations, revokeInvitation } from "../api/requests";
import type { ListedInvitation } from "../api/types";
import { count, exactTime, span } from "../format/format";
import { useStore } from "../store/store";
import { Explained } from "../ui/Explained";
import { Ago } from "../ui/Value";
import styles from "./Enrolment.module.css";

export const INVITATIONS = ["invitations"] as const;

/** Who was invited, and whether somebody may still come by it. */
export function InvitationList() {
  const { data, error } = useQuery({
    queryKey: INVITATIONS,
    queryFn: fetchInvitations,
    refetchOnMount: "always",
  });
  if (error !== null) return <p role="alert">The invitations cannot be listed: {error.message}</p>;
  if (data === undefined || data.length === 0) return null;
  return (
    <table className={styles.list} data-testid="invitations">
      <caption className="dim small">Invitations so far</caption>
      <tbody>
        {data.map((listed) => (
          <Row key={listed.invitation.id} listed={listed} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ listed: { invitation, state } }: { listed: ListedInvitation }) {
  const now = useStore((store) => store.now);
  const queries = useQueryClient();
  const [taken, setTaken] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);

  async function revoke(): Promise<void> {
    setTaken(true);
    try {
      await revokeInvitation(invitation.id);
      await queries.invalidateQueries({ queryKey: INVITATIONS });
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      setFailure(error.message);
    } finally {
      setTaken(false);
    }
  }

  const { label, kind, uses, max_uses, created_at, expires_at } = invitation;
  return (
    <tr data-testid="invitation" data-state={state}>
      <th scope="row">
        {label === "" ? <span className="mono">{invitation.id}</span> : label}
        <div className="dim small">
          {kind}, <Ago time={created_at} prefix="made " />
        </div>
      </th>
      <td>
        used {count(uses)}
        {max_uses !== null && ` of ${count(max_uses)}`}
      </td>
      <td>
        {state === "open" && expires_at !== null ? (
          <Explained why={exactTime(expires_at)}>{span(Math.max(0, expires_at - now))} left</Explained>
        ) : (
          state
        )}
        {failure !== null && (
          <div className={styles.refusal} role="alert">
            {failure}
          </div>
        )}
      </td>
      <td>
        {state === "open" && (
          <Button
            variant="default"
            size="compact-sm"
            disabled={taken}
            onClick={() => void revoke()}
            aria-label={`Revoke the invitation ${label === "" ? invitation.id : label}`}
          >
            {taken ? "Revoking…" : "Revoke"}
          </Button>
        )}
      </td>
    </tr>
  );
}
