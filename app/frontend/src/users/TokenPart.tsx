import { Button, NumberInput, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { fetchTokens, makeToken, revokeToken } from "../api/requests";
import type { Role } from "../api/types";
import { CopyCommand } from "../ui/CopyCommand";
import dialog from "../ui/Dialog.module.css";
import { RoleSelect } from "./RoleSelect";
import { useChange } from "./useChange";
import styles from "./UsersDialog.module.css";

const DAYS = 90;

export function TokenPart() {
  const { data: tokens, error } = useQuery({ queryKey: ["tokens"], queryFn: fetchTokens, gcTime: 0 });
  const { failure, make } = useChange("tokens");
  const [made, setMade] = useState<string | null>(null);
  const words = failure ?? error?.message;
  const add = (label: string, role: Role, days: number): Promise<boolean> =>
    make(async () => setMade(await makeToken(label, role, days)));
  return (
    <section className={styles.part} aria-label="tokens" data-testid="tokens">
      <h2>Tokens for programs</h2>
      {tokens?.length === 0 && <p className="dim">There are none yet.</p>}
      {tokens !== undefined && tokens.length > 0 && (
        <table className={styles.table}>
          <thead>
            <tr>
              <th>for</th>
              <th>role</th>
              <th>until</th>
              <th>
                <span className="hidden-visually">actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {tokens.map(({ id, label, role, expires_at }) => (
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
            ))}
          </tbody>
        </table>
      )}
      {words !== undefined && (
        <p className={dialog.failure} role="alert">
          {words}
        </p>
      )}
      {made !== null && (
        <div className={dialog.note}>
          <p>The token, which is shown only now. A program sends it as “Authorization: Bearer TOKEN”.</p>
          <CopyCommand command={made} testId="made-token" />
        </div>
      )}
      <AddToken add={add} />
    </section>
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
