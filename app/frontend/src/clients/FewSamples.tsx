import type { ClientRound } from "../api/types";
import { Explained } from "../ui/Explained";
import styles from "./ClientTable.module.css";
import { fewSamples, percentOf } from "./held-out";

interface FewSamplesProps {
  result: ClientRound | undefined;
  accuracy: number | null;
}

/** The mark beside an accuracy that was measured on a few samples only, as in the curves. */
export function FewSamples({ result, accuracy }: FewSamplesProps) {
  const few = result === undefined || accuracy === null ? null : fewSamples(result);
  if (few === null) return null;
  const words = `${percentOf(accuracy, few)}: too few to say much`;
  return (
    <span className={styles.few} data-testid="few-samples">
      <Explained why={words} label={words} look="plain">
        <span className={styles.diamond} />
      </Explained>
    </span>
  );
}
