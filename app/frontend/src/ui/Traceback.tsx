import styles from "./Traceback.module.css";

export function Traceback({ text }: { text: string }) {
  return (
    <pre className={styles.traceback} tabIndex={0} aria-label="traceback" data-testid="traceback">
      {text.trimEnd()}
    </pre>
  );
}
