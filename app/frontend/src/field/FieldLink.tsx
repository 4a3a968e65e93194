import { latency } from "../format/format";
import { rate } from "../network/words";
import { Clock, Value } from "../ui/Value";
import styles from "./FieldPage.module.css";
import type { ClientStatus } from "./status";
import { unmeasuredWords } from "./words";

const THERE_AND_BACK = "there and back, by the newest heartbeats that the server has answered";
const FRAMES = "of frames a second, before encryption, as of the last two seconds";

/** How far the server is and what the link to it carries; without a link, since when there is none. */
export function FieldLink({ server }: { server: NonNullable<ClientStatus["server"]> }) {
  const { connected, since, link } = server;
  return (
    <span className={styles.link} data-testid="field-link" data-linked={connected}>
      {connected ? (
        <>
          server <Fact text={latency(link.latency_s)} about={THERE_AND_BACK} link={link} /> away,{" "}
          <Fact text={rate(link.sent_per_s)} about={FRAMES} link={link} /> to it,{" "}
          <Fact text={rate(link.received_per_s)} about={FRAMES} link={link} /> from it
        </>
      ) : (
        <>
          not linked since <Clock time={since} />
        </>
      )}
    </span>
  );
}

interface FactProps {
  text: string;
  about: string;
  link: NonNullable<ClientStatus["server"]>["link"];
}

function Fact({ text, about, link }: FactProps) {
  return (
    <span className="mono">
      <Value text={text} about={about} why={unmeasuredWords(link)} />
    </span>
  );
}
