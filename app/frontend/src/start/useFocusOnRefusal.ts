import { type RefObject, useLayoutEffect, useRef } from "react";

/** Focuses the first field of the form that is marked, whenever `refusals` grows. */
export function useFocusOnRefusal(refusals: number): RefObject<HTMLFormElement | null> {
  const form = useRef<HTMLFormElement>(null);
  // In the moment in which the messages and the opened part are there: later, it would take the focus from who types on.
  useLayoutEffect(() => {
    if (refusals > 0)
      form.current?.querySelector<HTMLElement>("[aria-invalid=true], [data-invalid=true]")?.focus();
  }, [refusals]);
  return form;
}
