import { useEffect, useRef } from "react";
import styles from "./Traceback.module.css";

/** Its end is in view first, since that says what was raised. */
export function Traceback({ text }: { text: string }) {
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => {
    if (box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);
  return (
    <pre ref={box} className={styles.traceback} tabIndex={0} aria-label="traceback" data-testid="traceback">
      {text.trimEnd()}
    </pre>
  );
}
