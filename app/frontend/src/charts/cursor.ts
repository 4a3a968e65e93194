/** The cursor over the rounds, moved by keys. Pure functions. */

/** Rounds that a page key goes on. */
const PAGE = 10;

/**
 * The round that a key moves the cursor to from `at` (null: it is nowhere) among `rounds`, ascending; null: it goes away;
 * undefined: the key means nothing here.
 */
export function movedBy(
  key: string,
  at: number | null,
  rounds: readonly number[],
): number | null | undefined {
  const newest = rounds.length - 1;
  const index = at === null ? -1 : rounds.findLastIndex((round) => round <= at);
  const to = (wanted: number): number | undefined => rounds[Math.min(newest, Math.max(0, wanted))];
  switch (key) {
    case "ArrowLeft":
      return to(index === -1 ? newest : index - 1);
    case "ArrowRight":
      return to(index === -1 ? newest : index + 1);
    case "PageUp":
      return to(index === -1 ? newest : index - PAGE);
    case "PageDown":
      return to(index === -1 ? newest : index + PAGE);
    case "Home":
      return to(0);
    case "End":
      return to(newest);
    case "Escape":
      return null;
    default:
      return undefined;
  }
}
