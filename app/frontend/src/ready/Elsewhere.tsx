import { useQuery } from "@tanstack/react-query";
import { createInvitation } from "../api/requests";
import { InvitationQr } from "../enrolment/InvitationQr";
import { InviteButton } from "../enrolment/InviteButton";
import { addressElsewhere } from "../enrolment/wish";
import { useMay } from "../login/who";
import { useStore } from "../store/store";
import { CopyCommand } from "../ui/CopyCommand";
import styles from "./Ready.module.css";

/** How machines elsewhere join: by an invitation without a secret, where they reach this server, or by one that is made for them. */
export function Elsewhere() {
  const mayInvite = useMay("admin");
  const instance = useStore((state) => state.server.instance);
  const address = useStore(({ server }) =>
    server.status === null ? null : addressElsewhere(server.status.link.host, location.hostname),
  );
  // Nothing of it is kept and it lets nobody in by itself, so that it can be asked for without anybody's press.
  const { data } = useQuery({
    queryKey: ["invitation to ask", instance, address],
    queryFn: () => createInvitation({ kind: "approval", host: address }),
    enabled: mayInvite && address !== null,
    staleTime: Infinity,
    retry: false,
  });
  return (
    <>
      <p className={styles.buttons}>
        <span className="dim">Other machines join by an invitation.</span>
        <InviteButton testId="ready-invite" />
      </p>
      {data !== undefined && (
        <div className={styles.elsewhere} data-testid="ready-elsewhere">
          <div className={styles.about}>
            <p className="dim">
              Or by this one, which has no secret: whoever joins by it waits here until you approve them. In a
              terminal over there, or with a photo of the code and <code>--invite-qr</code>:
            </p>
            <CopyCommand command={data.command} testId="ready-invitation" />
          </div>
          <InvitationQr made={data} />
        </div>
      )}
    </>
  );
}
