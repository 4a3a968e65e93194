import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { addUser, changeRole, fetchUsers, removeUser } from "../api/requests";
import type { Role } from "../api/types";
import dialog from "../ui/Dialog.module.css";
import { RoleSelect } from "./RoleSelect";
import { useChange } from "./useChange";
import styles from "./UsersDialog.module.css";
import { SHORTEST_PASSWORD } from "./words";

export function UserPart() {
  const { data: users, error } = useQuery({ queryKey: ["users"], queryFn: fetchUsers, gcTime: 0 });
  const { failure, make } = useChange("users");
  const words = failure ?? error?.message;
  return (
    <section className={styles.part} aria-label="users" data-testid="users">
      <h2>Users</h2>
      <p className="dim small">
        A viewer reads; an operator also starts and stops runs; an admin also decides about clients, users and
        tokens.
      </p>
      {users?.length === 0 && <p className="dim">There are none yet.</p>}
      {users !== undefined && users.length > 0 && (
        <table className={styles.table}>
          <thead>
            <tr>
              <th>name</th>
              <th>role</th>
              <th>
                <span className="hidden-visually">actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {users.map(({ name, role }) => (
              <tr key={name}>
                <td>{name}</td>
                <td>
                  <RoleSelect
                    bare
                    label={`role of ${name}`}
                    role={role}
                    change={(chosen) => void make(() => changeRole(name, chosen))}
                  />
                </td>
                <td>
                  <Button
                    variant="default"
                    size="compact-sm"
                    aria-label={`Remove ${name}`}
                    onClick={() => void make(() => removeUser(name))}
                  >
                    Remove
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
      <AddUser add={(name, role, password) => make(() => addUser(name, role, password))} />
    </section>
  );
}

function AddUser({ add }: { add: (name: string, role: Role, password: string) => Promise<boolean> }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [password, setPassword] = useState("");
  const send = async (): Promise<void> => {
    if (!(await add(name, role, password))) return;
    setName("");
    setPassword("");
  };
  return (
    <form
      className={styles.add}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <TextInput
        label="new user"
        size="xs"
        required
        withAsterisk={false}
        autoComplete="off"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <RoleSelect label="role" role={role} change={setRole} />
      <PasswordInput
        label={`password, ${SHORTEST_PASSWORD} characters or more`}
        size="xs"
        required
        withAsterisk={false}
        autoComplete="new-password"
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      <Button type="submit" size="xs">
        Add user
      </Button>
    </form>
  );
}
