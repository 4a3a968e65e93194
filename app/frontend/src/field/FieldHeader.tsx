import { Mark } from "../page/Mark";
import header from "../page/Header.module.css";
import { ThemeToggle } from "../page/ThemeToggle";
import { StateMark } from "../ui/StateMark";
import type { ClientStatus } from "./status";

interface FieldHeaderProps {
  status: ClientStatus | null;
  answers: boolean;
}

/** Whose page it is, and whether what it shows is of now. */
export function FieldHeader({ status, answers }: FieldHeaderProps) {
  return (
    <header className={header.header}>
      <Mark />
      <h1 className={header.name}>{status?.client ?? "FedLoom client"}</h1>
      {status !== null && <span className={`${header.wide} mono small dim`}>{status.version}</span>}
      <span className={header.space} />
      <p className={header.connection} role="status" data-testid="field-connection" data-answers={answers}>
        <StateMark mark={answers ? ["disc", "good"] : ["cross", "bad"]} />
        {answers ? "client answers" : "no answer"}
      </p>
      <ThemeToggle />
    </header>
  );
}
