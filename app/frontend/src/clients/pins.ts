/** The clients whose lines stand out in the curves; they are in the address. Pure functions. */

/** So many can be told apart, and their names have room. */
export const MOST_PINS = 8;
const CLIENT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** `?clients=a,b` */
export function pinsOf(written: string | null): string[] {
  const ids = (written ?? "").split(",").filter((id) => CLIENT_ID.test(id));
  return [...new Set(ids)].slice(-MOST_PINS);
}

/** With one more, or without it; beyond the most, the first has to go. */
export function toggled(pins: readonly string[], id: string): string[] {
  return pins.includes(id) ? pins.filter((other) => other !== id) : [...pins, id].slice(-MOST_PINS);
}
