import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { addUser, changeRole, fetchUsers, removeUser, setPassword } from "../api/requests";
import type { Role } from "../api/types";
import { ListPart } from "./ListPart";
import { RoleSelect } from "./RoleSelect";
import { useChange } from "./useChange";
import styles from "./UsersDialog.module.css";
import { SHORTEST_PASSWORD } from "./words";

export function UserPart() {
  const { data: users, error } = useQuery({ queryKey: ["users"], queryFn: fetchUsers, gcTime: 0 });
  const { failure, make } = useChange("users");
  const [another, setAnother] = useState<string | null>(null);
  const rows = users?.map(({ name, role }) => (
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
          mr={8}
          aria-label={`Set password of ${name}`}
          onClick={() => setAnother(name)}
        >
          Set password…
        </Button>
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
  ));
  return (
    <ListPart
      title="Users"
      name="users"
      columns={["name", "role"]}
      rows={rows}
      failure={failure ?? error?.message}
      about={
        <p className="dim small">
          A viewer reads; an operator also starts and stops runs; an admin also decides about clients, users
          and tokens.
        </p>
      }
    >
      {another !== null && (
        <NewPassword
          key={another}
          name={another}
          set={(password) => make(() => setPassword(another, password))}
          close={() => setAnother(null)}
        />
      )}
      <AddUser add={(name, role, password) => make(() => addUser(name, role, password))} />
    </ListPart>
  );
}

interface NewPasswordProps {
  name: string;
  set: (password: string) => Promise<boolean>;
  close: () => void;
}

/** For a user who has forgotten theirs, or is to be logged out everywhere. */
function NewPassword({ name, set, close }: NewPasswordProps) {
  const [password, type] = useState("");
  return (
    <form
      className={styles.add}
      aria-label={`password of ${name}`}
      onSubmit={(event) => {
        event.preventDefault();
        void set(password).then((done) => done && close());
      }}
    >
      <PasswordInput
        label={`another password for ${name}, ${SHORTEST_PASSWORD} characters or more`}
        description={`${name} is logged out everywhere, and logs in with it from then on.`}
        size="xs"
        required
        withAsterisk={false}
        data-autofocus
        autoComplete="new-password"
        value={password}
        onChange={(event) => type(event.currentTarget.value)}
      />
      <Button variant="default" size="xs" onClick={close}>
        Cancel
      </Button>
      <Button type="submit" size="xs">
        Set password
      </Button>
    </form>
  );
}

function AddUser({ add }: { add: (name: string, role: Role, password: string) => Promise<boolean> }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [password, type] = useState("");
  const send = async (): Promise<void> => {
    if (!(await add(name, role, password))) return;
    setName("");
    type("");
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
        onChange={(event) => type(event.currentTarget.value)}
      />
      <Button type="submit" size="xs">
        Add user
      </Button>
    </form>
  );
}
