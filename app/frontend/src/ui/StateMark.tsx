import type { ReactNode } from "react";
import styles from "./StateMark.module.css";

type Tone = "quiet" | "plain" | "good" | "warn" | "bad";
type Shape =
  | "ring"
  | "dots"
  | "half"
  | "play"
  | "pause"
  | "bolt"
  | "clock"
  | "diamond"
  | "check"
  | "square"
  | "cross"
  | "triangle"
  | "dot"
  | "disc"
  | "prompt";

/** Shape first, tone second: no state is told by colour alone. */
export type Mark = readonly [Shape, Tone];

const SHAPES: Record<Shape, ReactNode> = {
  ring: <circle cx="6" cy="6" r="4" className={styles.stroke} />,
  dots: <path d="M2.5 6h.01M6 6h.01M9.5 6h.01" className={styles.stroke} />,
  half: (
    <>
      <circle cx="6" cy="6" r="4" className={styles.stroke} />
      <path d="M6 2a4 4 0 0 1 0 8z" />
    </>
  ),
  play: <path d="M3 1.5v9L11 6z" />,
  pause: <path d="M2 1.5h3v9H2zM7 1.5h3v9H7z" />,
  bolt: <path d="M7.5 0L2 7h3l-.5 5L10 5H7z" />,
  clock: (
    <>
      <circle cx="6" cy="6" r="4.5" className={styles.thin} />
      <path d="M6 3.5V6l2 1.2" className={styles.thin} />
    </>
  ),
  diamond: <path d="M6 1l5 5-5 5-5-5z" />,
  check: <path d="M1.5 6.5l3 3 6-7" className={styles.stroke} />,
  square: <path d="M2 2h8v8H2z" />,
  cross: <path d="M2.5 2.5l7 7M9.5 2.5l-7 7" className={styles.stroke} />,
  triangle: <path d="M6 1l5.5 10H.5z" />,
  dot: <circle cx="6" cy="6" r="2" />,
  disc: <circle cx="6" cy="6" r="4" />,
  prompt: <path d="M1.5 2.5L5 6 1.5 9.5M6.5 10h4.5" className={styles.thin} />,
};

interface StateMarkProps {
  mark: Mark;
  /** What it stands for, where no word beside it says so. */
  label?: string;
}

export function StateMark({ mark: [shape, tone], label }: StateMarkProps) {
  const named = label === undefined ? { "aria-hidden": true } : { role: "img", "aria-label": label };
  return (
    <svg className={styles.mark} data-tone={tone} viewBox="0 0 12 12" width="12" height="12" {...named}>
      {SHAPES[shape]}
    </svg>
  );
}
