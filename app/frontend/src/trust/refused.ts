/** Who was not let in, in words. */
import { count } from "../format/format";

type Refused = Readonly<Record<string, number>>;

/** By the reason's code, as `GET /api/v1/status` has it. */
const WORDS: Readonly<Record<string, string>> = {
  crowded: "too many wait for approval",
  "other-key": "name of another key",
  "other-name": "key of another name",
  rejected: "rejected client",
  revoked: "revoked client",
  "token-wrong": "wrong invitation",
  "token-expired": "expired invitation",
  "token-used-up": "used invitation",
  "token-revoked": "revoked invitation",
  "too-many-tries": "wrong invitations from one address",
  "link-silent": "client that said nothing",
  "link-crowd": "client among too many",
  "link-hello": "client of another kind",
  "page-unknown": "unknown reader of the page",
  "page-forbidden": "reader without the right",
  "page-too-often": "reader who asked too often",
  "page-gave-way": "connection of the page that gave way",
  "page-turned-away": "connection of the page, among too many",
};

/** "refused since the server started: 5 (wrong invitation 3×, revoked client 2×)", the commonest first. */
export function refusedWords(refused: Refused): string {
  const reasons = commonestFirst(refused);
  if (reasons.length === 0) return "Nobody was refused since the server started.";
  const total = reasons.reduce((sum, [, times]) => sum + times, 0);
  const each = reasons.map(([code, times]) => `${WORDS[code] ?? code.replaceAll("-", " ")} ${count(times)}×`);
  return `refused since the server started: ${count(total)} (${each.join(", ")})`;
}

/** The same by the codes, for whoever looks them up. */
export function refusedTitle(refused: Refused): string {
  return commonestFirst(refused)
    .map(([code, times]) => `${code}: ${count(times)}`)
    .join("\n");
}

function commonestFirst(refused: Refused): [string, number][] {
  return Object.entries(refused)
    .filter(([, times]) => times > 0)
    .sort(([one, ofOne], [other, ofOther]) => ofOther - ofOne || one.localeCompare(other));
}
