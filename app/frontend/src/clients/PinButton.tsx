import styles from "./ClientTable.module.css";
import { usePins } from "./usePins";

/** Has the client's line stand out in the curves, for as long as it is pinned; the address keeps it. */
export function PinButton({ id }: { id: string }) {
  const { pinned, toggle } = usePins();
  const isPinned = pinned.includes(id);
  return (
    <button
      type="button"
      className={styles.pin}
      aria-pressed={isPinned}
      aria-label={`pin ${id} in the curves`}
      title={isPinned ? "no longer stand out in the curves" : "stand out in the curves"}
      onClick={() => toggle(id)}
      data-testid="client-pin"
    >
      <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
        <path
          d="M4 1h4l-.6 4L9.5 7H2.5l2.1-2zM6 7v4.5"
          fill={isPinned ? "currentColor" : "none"}
          stroke="currentColor"
          strokeWidth="1.2"
          strokeLinejoin="round"
        />
      </svg>
    </button>
  );
}
