import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { verifyAudit } from "../api/requests";
import { useMay } from "../login/who";
import { StateMark } from "../ui/StateMark";
import styles from "./Trust.module.css";
import { verifiedWords } from "./words";

/** Has the server check its log, of the `size` that it has when the button is pressed. */
export function Verify({ size }: { size: number }) {
  const may = useMay("operator");
  const [asked, setAsked] = useState<{ size: number; times: number } | null>(null);
  const { data, error, isFetching } = useQuery({
    queryKey: ["audit verification", asked],
    queryFn: verifyAudit,
    enabled: asked !== null,
    staleTime: Infinity,
    retry: false,
    gcTime: 0,
  });
  if (!may) return null;
  return (
    <>
      <Button
        variant="default"
        size="compact-sm"
        aria-disabled={isFetching}
        data-disabled={isFetching}
        onClick={() => {
          if (!isFetching) setAsked({ size, times: (asked?.times ?? 0) + 1 });
        }}
        title="by the server itself; who does not take its word for it downloads the log and runs the command"
        data-testid="audit-check"
      >
        {isFetching ? "Verifying…" : "Verify on the server"}
      </Button>
      <span className={styles.witnessed} role="status" data-testid="audit-checked">
        {error !== null && `The log could not be verified: ${error.message}`}
        {data !== undefined && (
          <>
            <StateMark mark={data.wrong === null ? ["check", "good"] : ["cross", "bad"]} />
            {verifiedWords(data)}
          </>
        )}
      </span>
    </>
  );
}
