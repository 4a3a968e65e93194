import { type ReactNode, useEffect, useState } from "react";
import { askWho, cameIn, useWho } from "./who";
import type { Entrance } from "./entrance";
import { LoginForm } from "./LoginForm";
import { SetupForm } from "./SetupForm";

/** The page for those whom the server knows; for others, the way in. */
export function Entry({ entrance, children }: { entrance: Entrance; children: ReactNode }) {
  const state = useWho((who) => who.state);
  const [settingUp, setSettingUp] = useState(entrance.by === "setup");
  useEffect(() => void askWho(), []);
  if (entrance.by === "setup" && settingUp)
    return (
      <SetupForm
        token={entrance.token}
        done={(me) => {
          setSettingUp(false);
          cameIn(me);
        }}
      />
    );
  if (state === "asking") return <p className="hidden-visually">asking the server who you are</p>;
  if (state === "out") return <LoginForm wrongKey={entrance.by === "password" && entrance.wrongKey} />;
  return children;
}
