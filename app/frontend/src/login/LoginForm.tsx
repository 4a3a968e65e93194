import { logIn } from "../api/requests";
import { EntryForm } from "./EntryForm";
import { cameIn } from "./who";

const WRONG_KEY =
  "The key in the address does not hold: it is of another server, or incomplete. The server prints its address when it starts.";

export function LoginForm({ wrongKey }: { wrongKey: boolean }) {
  return (
    <EntryForm
      title="Log in to FedLoom"
      submit="Log in"
      busy="Logging in…"
      autoComplete="current-password"
      failure={wrongKey ? WRONG_KEY : undefined}
      send={async (name, password) => cameIn(await logIn(name, password))}
    >
      <p className="dim">
        An administrator gives you a name and a password. On the server’s own machine, the address that it
        printed when it started needs neither.
      </p>
    </EntryForm>
  );
}
