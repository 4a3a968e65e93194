import { setUp } from "../api/requests";
import type { Me } from "../api/types";
import { EntryForm } from "./EntryForm";

export function SetupForm({ token, done }: { token: string; done: (me: Me) => void }) {
  return (
    <EntryForm
      title="Make the first administrator"
      submit="Make administrator"
      busy="Making…"
      autoComplete="new-password"
      send={async (name, password) => done(await setUp(token, name, password))}
    >
      <p className="dim">
        This address works once. Choose a name and a password of at least 10 characters; with them you log in
        from now on, and make further users.
      </p>
    </EntryForm>
  );
}
