import { useState } from "react";
import { flushSync } from "react-dom";

interface Opened {
  /** Whether it was ever opened: before that, nothing of it needs to be there. */
  made: boolean;
  opened: boolean;
  open: () => void;
  close: () => void;
}

/** For what opens over the page, takes long to make, and is there many times: it is made when it is opened first. */
export function useOpened(): Opened {
  const [made, setMade] = useState(false);
  const [opened, setOpened] = useState(false);
  const open = (): void => {
    // It is there before it opens: so it sees who has the focus, and gives it back when it closes.
    if (!made) flushSync(() => setMade(true));
    setOpened(true);
  };
  return { made, opened, open, close: () => setOpened(false) };
}
