import { NativeSelect } from "@mantine/core";
import { ROLES, type Role } from "../api/types";

interface RoleSelectProps {
  label: string;
  /** The label is for screen readers only. */
  bare?: boolean;
  role: Role;
  change: (role: Role) => void;
}

export function RoleSelect({ label, bare = false, role, change }: RoleSelectProps) {
  return (
    <NativeSelect
      {...(bare ? { "aria-label": label } : { label })}
      size="xs"
      data={[...ROLES]}
      value={role}
      onChange={(event) => {
        const chosen = ROLES.find((each) => each === event.currentTarget.value);
        if (chosen !== undefined) change(chosen);
      }}
    />
  );
}
