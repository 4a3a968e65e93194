import type { NewInvitation } from "../api/types";
import withQr from "../ui/WithQr.module.css";

/** An invitation as a picture, which a client reads with --invite-qr. */
export function InvitationQr({ made }: { made: NewInvitation }) {
  return (
    <img
      className={withQr.qr}
      src={`data:image/svg+xml;utf8,${encodeURIComponent(made.qr)}`}
      alt="the invitation as QR code, for --invite-qr"
      data-testid="invitation-qr"
    />
  );
}
