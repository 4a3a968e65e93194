import { Button } from "@mantine/core";
import { lazy, Suspense, useState } from "react";
import { loadInviteDialog } from "./load";

const InviteDialog = lazy(loadInviteDialog);

/** Opens the dialog, which is mounted from then on, as it is loaded then. */
export function InviteButton({ testId = "invite" }: { testId?: string }) {
  const [inviting, setInviting] = useState<"never" | "open" | "closed">("never");
  return (
    <>
      <Button variant="default" size="compact-sm" onClick={() => setInviting("open")} data-testid={testId}>
        Invite…
      </Button>
      {inviting !== "never" && (
        <Suspense fallback={null}>
          <InviteDialog opened={inviting === "open"} onClose={() => setInviting("closed")} />
        </Suspense>
      )}
    </>
  );
}
