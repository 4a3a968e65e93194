import { type ReactNode, useEffect, useRef } from "react";
import { ownFrames, raisedLine } from "./raised";
import styles from "./Traceback.module.css";

interface TracebackProps {
  text: string;
  /** What can be done with it. */
  actions?: ReactNode;
}

/** What was raised comes first, then where in the reader's own code, then all of it with its end in view. */
export function Traceback({ text, actions }: TracebackProps) {
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => {
    if (box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);
  const raised = raisedLine(text);
  const own = ownFrames(text);
  return (
    <>
      <div className={styles.first}>
        <div className={styles.own}>
          {raised !== null && (
            <p className={styles.raised} data-testid="raised">
              {raised}
            </p>
          )}
          {own.map((frame) => (
            <p key={frame} data-testid="own-frame">
              {frame}
            </p>
          ))}
        </div>
        {actions}
      </div>
      <pre ref={box} className={styles.traceback} tabIndex={0} aria-label="traceback" data-testid="traceback">
        {text.trimEnd()}
      </pre>
    </>
  );
}
