import { Button, PasswordInput, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { RequestFailed } from "../api/http";
import styles from "./Login.module.css";

interface EntryFormProps {
  title: string;
  children: ReactNode;
  submit: string;
  busy: string;
  /** Of the password field: whether a browser offers a kept one or a new one. */
  autoComplete: "current-password" | "new-password";
  failure?: string | undefined;
  /** Rejects with RequestFailed. */
  send: (name: string, password: string) => Promise<void>;
}

/** A name and a password, on a screen of their own. */
export function EntryForm(props: EntryFormProps) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [sending, setSending] = useState(false);
  const [failure, setFailure] = useState<string | null>(props.failure ?? null);

  const send = async (): Promise<void> => {
    setSending(true);
    setFailure(null);
    try {
      await props.send(name, password);
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      setFailure(error.message);
      setSending(false);
    }
  };
  return (
    <main className={styles.screen}>
      <form
        className={styles.form}
        data-testid="entry-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!sending) void send();
        }}
      >
        <h1 className={styles.title}>{props.title}</h1>
        {props.children}
        <TextInput
          label="name"
          name="username"
          autoComplete="username"
          required
          withAsterisk={false}
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <PasswordInput
          label="password"
          name="password"
          autoComplete={props.autoComplete}
          required
          withAsterisk={false}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        {failure !== null && (
          <p className={styles.failure} role="alert" data-testid="entry-failure">
            {failure}
          </p>
        )}
        <Button type="submit" aria-disabled={sending} data-disabled={sending}>
          {sending ? props.busy : props.submit}
        </Button>
      </form>
    </main>
  );
}
