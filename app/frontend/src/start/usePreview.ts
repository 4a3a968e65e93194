import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { RequestFailed } from "../api/http";
import { previewRun } from "../api/requests";
import type { RunPreview } from "../api/types";
import { useStore } from "../store/store";
import { splitErrors } from "./errors";
import type { FieldErrors } from "./parameters";
import type { Parsed } from "./values";

export interface PreviewState {
  preview: RunPreview | null;
  /** What the server would refuse the run for, by field. */
  errors: FieldErrors;
  /** Why there is no preview, in words. */
  failure: string | null;
  /** It is of values from before. */
  stale: boolean;
}

const TYPING_MS = 350;
const NO_ERRORS: FieldErrors = {};

/** What the server says of the run in the form, a moment after the last change. */
export function usePreview({ spec, errors }: Parsed, fields: ReadonlySet<string>): PreviewState {
  const connected = useStore((state) => state.connection.state === "connected");
  const clients = useStore((state) => state.server.clients.filter(({ state: is }) => is !== "lost").length);
  const now = JSON.stringify(spec);
  const [asked] = useDebouncedValue(now, TYPING_MS);
  const complete = Object.keys(errors).length === 0;
  const { data, error, isPlaceholderData } = useQuery({
    queryKey: ["preview", asked, clients],
    queryFn: () => previewRun(JSON.parse(asked) as Parsed["spec"]),
    enabled: connected && complete && asked === now,
    placeholderData: keepPreviousData,
    retry: false,
    gcTime: 0,
  });
  const refused = complete && error instanceof RequestFailed ? splitErrors(error.fields, fields) : null;
  return {
    preview: data ?? null,
    errors: refused?.fields ?? NO_ERRORS,
    failure: failureOf(complete, error, refused),
    stale: isPlaceholderData || asked !== now || !complete,
  };
}

function failureOf(
  complete: boolean,
  error: Error | null,
  refused: { fields: FieldErrors; rest: string[] } | null,
): string | null {
  if (!complete) return "shown once every value can be read";
  if (error === null) return null;
  if (refused === null || refused.rest.length + Object.keys(refused.fields).length === 0)
    return error.message;
  return refused.rest.length > 0 ? refused.rest.join(" ") : "shown once the marked values fit";
}
