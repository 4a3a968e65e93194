import { Button } from "@mantine/core";
import { lazy, Suspense, useState } from "react";
import { useMay } from "../login/who";
import { loadUsersDialog } from "../page/parts";

const UsersDialog = lazy(loadUsersDialog);

/** Who may read and steer: the dialog of the menu, for administrators. */
export function People() {
  const may = useMay("admin");
  const [opened, setOpened] = useState(false);
  if (!may) return null;
  return (
    <div>
      <Button
        variant="default"
        size="compact-sm"
        onClick={() => setOpened(true)}
        aria-haspopup="dialog"
        data-testid="trust-users"
      >
        Users and tokens…
      </Button>
      {opened && (
        <Suspense fallback={null}>
          <UsersDialog close={() => setOpened(false)} />
        </Suspense>
      )}
    </div>
  );
}
