import { ago, exactTime, NO_DATA, span } from "../format/format";
import { useStore } from "../store/store";

/** A formatted value; without data it is an en dash that says why on hover. */
export function Value({ text, why }: { text: string; why: string }) {
  if (text !== NO_DATA) return <>{text}</>;
  return (
    <span className="dim" title={why} aria-label={`no data: ${why}`} role="note">
      {NO_DATA}
    </span>
  );
}

/** How long ago, with the exact time on hover. */
export function Ago({ time, prefix = "" }: { time: number; prefix?: string }) {
  const text = useStore((state) => ago(state.now - time));
  return (
    <time dateTime={new Date(time * 1000).toISOString()} title={exactTime(time)}>
      {prefix}
      {text}
    </time>
  );
}

/** For how long something is overdue, counted by the second. */
export function Late({ since }: { since: number }) {
  const text = useStore((state) => span(state.now - since));
  return <span title={`its time was over at ${exactTime(since)}`}> {text}</span>;
}
