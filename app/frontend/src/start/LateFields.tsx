import { lateWords } from "../runs/spec-words";
import { Disclosure } from "./Disclosure";
import { NumberField } from "./fields";
import { parse } from "./parameters";
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
      <NumberField
        part={part}
        field="round_timeout_s"
        label="Seconds per round"
        step={10}
        placeholder="no limit"
        description="then it goes on without the replies that are missing"
      />
      <NumberField
        part={part}
        field="min_replies"
        label="Min. replies"
        step={1}
        description="with fewer it waits, and says for whom"
      />
      <NumberField
        part={part}
        field="min_reply_share"
        label="Min. share of replies"
        step={0.1}
        description="of the clients that were asked, 0 to 1"
      />
    </Disclosure>
  );
}
