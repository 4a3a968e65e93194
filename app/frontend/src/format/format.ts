/** Numbers, times and sizes as the page writes them. Pure: no clock, and of the reader's locale only how its day is counted. */

/** Shown where there is no value; the element that holds it says why. */
export const NO_DATA = "–";

/** The same, without a line's end between a number and its per cent sign. */
export function unbroken(text: string): string {
  return text.replaceAll(" %", "\u00a0%");
}

const GROUPED = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

function missing(value: number | null | undefined): value is null | undefined {
  return value === null || value === undefined || !Number.isFinite(value);
}

/** 1240 → "1,240" */
export function count(value: number | null | undefined): string {
  return missing(value) ? NO_DATA : GROUPED.format(value);
}

/** 0.9812 → "98.1 %" */
export function percent(fraction: number | null | undefined): string {
  return missing(fraction) ? NO_DATA : `${(fraction * 100).toFixed(1)} %`;
}

/** Loss with three decimals while they say something: 0.061, 2.303, 12.4, 1.2e+6. */
export function loss(value: number | null | undefined): string {
  if (missing(value)) return NO_DATA;
  const size = Math.abs(value);
  if (size >= 100_000) return value.toExponential(1);
  if (size >= 100) return GROUPED.format(value);
  return size >= 10 ? value.toFixed(1) : value.toFixed(3);
}

/** What was spent under differential privacy: 1.20, 12.3, 1,234. */
export function epsilon(value: number | null | undefined): string {
  if (missing(value)) return NO_DATA;
  return value >= 1000 ? GROUPED.format(value) : value.toFixed(2);
}

/** Seconds as 0:41, 12:05, or from one hour on 1 h 12 min. */
export function duration(seconds: number | null | undefined): string {
  if (missing(seconds)) return NO_DATA;
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 3600) return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Seconds in words: "12 s", "5 min", "3 h", "2 d". */
export function span(seconds: number | null | undefined): string {
  if (missing(seconds)) return NO_DATA;
  if (seconds < 60) return `${Math.max(0, Math.floor(seconds))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** How long something took: "3.2 s" while a tenth says something, then as `span`. */
export function took(seconds: number | null | undefined): string {
  return missing(seconds) || seconds >= 9.95 ? span(seconds) : `${Math.max(0, seconds).toFixed(1)} s`;
}

/** Age in seconds as "now", "12 s ago", "5 min ago". */
export function ago(seconds: number | null | undefined): string {
  if (missing(seconds)) return NO_DATA;
  return seconds < 1 ? "now" : `${span(seconds)} ago`;
}

/** Whether a day has twice twelve hours where the reader is, as the browser's locale has it. */
export function hasTwelveHours(locale?: string): boolean {
  return new Intl.DateTimeFormat(locale, { hour: "numeric" }).resolvedOptions().hour12 === true;
}

export const TWELVE_HOURS = hasTwelveHours();

/** Unix seconds as local 12:41:07, or where a day has twice twelve hours 12:41:07 pm. */
export function clock(unixSeconds: number, twelveHours = TWELVE_HOURS): string {
  const date = new Date(unixSeconds * 1000);
  const hours = date.getHours();
  const shown = twelveHours ? hours % 12 || 12 : hours;
  const time = [shown, date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
  return twelveHours ? `${time} ${hours < 12 ? "am" : "pm"}` : time;
}

/** Unix seconds as local 2026-11-24 12:41:07, for titles */
export function exactTime(unixSeconds: number, twelveHours = TWELVE_HOURS): string {
  const date = new Date(unixSeconds * 1000);
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) =>
    String(part).padStart(2, "0"),
  );
  return `${day.join("-")} ${clock(unixSeconds, twelveHours)}`;
}

/** Number and noun: plural(1, "client") → "1 client", plural(2, "reply", "replies") → "2 replies" */
export function plural(value: number, noun: string, nouns = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : nouns}`;
}

/** Seconds there and back as "0.4 ms", "12 ms", "1.2 s". */
export function latency(seconds: number | null | undefined): string {
  if (missing(seconds)) return NO_DATA;
  if (seconds >= 0.9995) return `${seconds.toFixed(1)} s`;
  const ms = seconds * 1000;
  return `${ms < 9.95 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}

const BYTE_UNITS = ["kB", "MB", "GB", "TB"] as const;

/** 1_640_000 → "1.6 MB", in steps of 1000 */
export function bytes(value: number | null | undefined): string {
  if (missing(value)) return NO_DATA;
  let scaled = value;
  let unit = "B";
  for (const larger of BYTE_UNITS) {
    // What rounds to 1000 belongs to the next unit.
    if (scaled < 999.5) break;
    scaled /= 1000;
    unit = larger;
  }
  return unit === "B"
    ? `${count(scaled)} B`
    : `${scaled < 99.95 ? scaled.toFixed(1) : scaled.toFixed(0)} ${unit}`;
}

/** A number that may mean anything, with up to four significant digits: 0.1235, 42, 1.2e-6. */
export function number(value: number | null | undefined): string {
  if (missing(value)) return NO_DATA;
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return GROUPED.format(value);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e5 ? String(Number(value.toPrecision(4))) : value.toExponential(1);
}
