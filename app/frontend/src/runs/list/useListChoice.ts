import { useCallback, useMemo } from "react";
import { useSearchParams } from "wouter";
import { choiceOf, type ListChoice, paramsOf } from "./query";

/** What the address chooses, and how the reader changes that. Typing and ticking leave no trail to go back on. */
export function useListChoice(): [ListChoice, (choice: ListChoice) => void] {
  const [params, setParams] = useSearchParams();
  const choice = useMemo(() => choiceOf(params), [params]);
  const change = useCallback((next: ListChoice) => setParams(paramsOf(next), { replace: true }), [setParams]);
  return [choice, change];
}
