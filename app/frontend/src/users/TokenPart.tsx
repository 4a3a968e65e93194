import { Button, NumberInput, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { fetchTokens, makeToken, revokeToken } from "../api/requests";
import type { Role } from "../api/types";
import { CopyCommand } from "../ui/CopyCommand";
import dialog from "../ui/Dialog.module.css";
import { ListPart } from "./ListPart";
import { RoleSelect } from "./RoleSelect";
import { useChange } from "./useChange";
import styles from "./UsersDialog.module.css";

const DAYS = 90;

export function TokenPart() {
  const { data: tokens, error } = useQuery({ queryKey: ["tokens"], queryFn: fetchTokens, gcTime: 0 });
  const { failure, make } = useChange("tokens");
  const [made, setMade] = useState<string | null>(null);
  const add = (label: string, role: Role, days: number): Promise<boolean> =>
    make(async () => setMade(await makeToken(label, role, days)));
  const rows = tokens?.map(({ id, label, role, expires_at }) => (
    <tr key={id}>
      <td>{label}</td>
      <td>{role}</td>
      <td>{new Date(expires_at * 1000).toLocaleDateString()}</td>
      <td>
        <Button
          variant="default"
          size="compact-sm"
          aria-label={`Revoke ${label}`}
          onClick={() => void make(() => revokeToken(id))}
        >
          Revoke
        </Button>
      </td>
    </tr>
  ));
  return (
    <ListPart
      title="Tokens for programs"
      name="tokens"
      columns={["for", "role", "until"]}
      rows={rows}
      failure={failure ?? error?.message}
    >
      {made !== null && (
        <div className={dialog.note}>
          <p>The token, which is shown only now. A program sends it as “Authorization: Bearer TOKEN”.</p>
          <CopyCommand command={made} testId="made-token" />
        </div>
      )}
      <AddToken add={add} />
    </ListPart>
  );
}

function AddToken({ add }: { add: (label: string, role: Role, days: number) => Promise<boolean> }) {
  const [label, setLabel] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [days, setDays] = useState<number | string>(DAYS);
  return (
    <form
      className={styles.add}
      onSubmit={(event) => {
        event.preventDefault();
        void add(label, role, Number(days)).then((done) => done && setLabel(""));
      }}
    >
      <TextInput
        label="new token, for"
        size="xs"
        required
        withAsterisk={false}
        value={label}
        onChange={(event) => setLabel(event.currentTarget.value)}
      />
      <RoleSelect label="role" role={role} change={setRole} />
      <NumberInput
        label="days"
        size="xs"
        w={80}
        min={1}
        max={3660}
        required
        withAsterisk={false}
        value={days}
        onChange={setDays}
        hideControls
      />
      <Button type="submit" size="xs">
        Make token
      </Button>
    </form>
  );
}
