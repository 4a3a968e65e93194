import styles from "./Header.module.css";

/** Warp and weft: two threads that go over and under three others. */
export function Mark() {
  return (
    <svg className={styles.mark} viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
      <path className={styles.warp} d="M8 4v2M8 16v12M16 4v12M16 26v2M24 4v2M24 16v12" />
      <path className={styles.weft} d="M4 11h16M28 11h0M12 21h16M4 21h0" />
    </svg>
  );
}
