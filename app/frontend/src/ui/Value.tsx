import { ago, clock, exactTime, NO_DATA, span } from "../format/format";
import { useStore } from "../store/store";
import { Explained } from "./Explained";

interface ValueProps {
  text: string;
  /** Why there is none, where it is an en dash. */
  why: string;
  /** What there is to say of one that is there. */
  about?: string | undefined;
}

/** A formatted value; without data it is an en dash that says why. */
export function Value({ text, why, about }: ValueProps) {
  if (text === NO_DATA) {
    return (
      <span className="dim">
        <Explained why={why} label={`no data: ${why}`} look="plain">
          {NO_DATA}
        </Explained>
      </span>
    );
  }
  return about === undefined ? <>{text}</> : <Explained why={about}>{text}</Explained>;
}

function isoOf(time: number): string {
  return new Date(time * 1000).toISOString();
}

/** How long ago, which opens to the exact time. */
export function Ago({ time, prefix = "" }: { time: number; prefix?: string }) {
  const text = useStore((state) => ago(state.now - time));
  return (
    <time dateTime={isoOf(time)}>
      <Explained why={exactTime(time)} look="plain">
        {prefix}
        {text}
      </Explained>
    </time>
  );
}

/** The time of the day, which opens to that with its date. */
export function Clock({ time }: { time: number }) {
  return (
    <time dateTime={isoOf(time)}>
      <Explained why={exactTime(time)} look="plain">
        {clock(time)}
      </Explained>
    </time>
  );
}

/** For how long something is overdue, counted by the second. */
export function Late({ since }: { since: number }) {
  const text = useStore((state) => span(state.now - since));
  return (
    <>
      {" "}
      <Explained why={`its time was over at ${exactTime(since)}`} look="plain">
        {text}
      </Explained>
    </>
  );
}
