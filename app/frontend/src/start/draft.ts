/** What the reader has typed and not started yet. This browser keeps it, so that a look at another page loses nothing. */
import { useState } from "react";
import type { Edited } from "./parameters";
import type { FormValues } from "./values";

export interface Draft {
  edited: Partial<FormValues>;
  /** By strategy, so that going back to one finds its values; those of the app by the app's name. */
  editedParameters: Readonly<Record<string, Edited>>;
}

export const NO_DRAFT: Draft = { edited: {}, editedParameters: {} };

/** Of the built-in app, or of another one by its name. */
export function useDraft(app: string | null): readonly [Draft, (draft: Draft) => void] {
  const key = `fedloom-draft:${app ?? ""}`;
  const [of, setOf] = useState(key);
  const [draft, setDraft] = useState(() => kept(key));
  if (of !== key) {
    // The server was started anew, with another app.
    setOf(key);
    setDraft(kept(key));
  }
  const keep = (next: Draft): void => {
    setDraft(next);
    store(key, next);
  };
  return [draft, keep];
}

/** A draft of an older page, or none, is no draft. */
function kept(key: string): Draft {
  try {
    const { edited, editedParameters } = JSON.parse(localStorage.getItem(key) ?? "{}") as Partial<Draft>;
    return isObject(edited) && isObject(editedParameters) ? { edited, editedParameters } : NO_DRAFT;
  } catch {
    return NO_DRAFT;
  }
}

function isObject(value: unknown): value is Record<string, never> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A browser that keeps nothing loses the draft with the page; that is all. */
function store(key: string, draft: Draft): void {
  try {
    if (draft === NO_DRAFT) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(draft));
  } catch {
    return;
  }
}
