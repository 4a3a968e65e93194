import { lateWords } from "../runs/spec-words";
import { Disclosure } from "./Disclosure";
import { NumberField } from "./fields";
import { parse } from "./parameters";
import { numbersIn } from "./spec-fields";
import type { FormPart } from "./useStartForm";

/** What a round does without some of its clients. */
export function LateFields({ part }: { part: FormPart }) {
  const { round_timeout_s, min_replies, min_reply_share } = part.values;
  const summary = lateWords({
    round_timeout_s: parse(round_timeout_s),
    min_replies: parse(min_replies) ?? 1,
    min_reply_share: parse(min_reply_share) ?? 0,
  });
  return (
    <Disclosure part={part} section="late" label="When clients are late" summary={summary}>
      {numbersIn("late").map((field) => (
        <NumberField key={field} part={part} field={field} />
      ))}
    </Disclosure>
  );
}
