/** A component on a page of its own, and a server that answers it, for the component tests. */
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { act, render } from "@testing-library/react";
import userEvent, { PointerEventsCheckLevel, type UserEvent } from "@testing-library/user-event";
import type { ReactNode } from "react";
import { vi } from "vitest";
import { newQueryClient } from "../api/query-client";
import type { BatchEvent, FieldError, LinkUpdate, Snapshot } from "../api/types";
import { batchesReceived, connectionChanged, snapshotReceived } from "../store/store";
import { cssVariables, theme } from "../styles/theme";
import { snapshot } from "./fixtures";

/** Draws a component as the page would. Returns the reader's hands. */
export function show(component: ReactNode): UserEvent {
  render(
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} env="test">
      <QueryClientProvider client={newQueryClient()}>{component}</QueryClientProvider>
    </MantineProvider>,
  );
  // Without a layout nothing covers a button, and looking for it is slow.
  return userEvent.setup({ pointerEventsCheck: PointerEventsCheckLevel.Never });
}

/** The socket is open, and this is what the server says first. */
export function connected(changes: Partial<Snapshot> = {}): void {
  act(() => {
    connectionChanged("connected");
    snapshotReceived(snapshot(changes));
  });
}

/** Something happens at the server. */
export function happens(...events: BatchEvent[]): void {
  act(() => batchesReceived([{ events, usage: null, links: null }]));
}

/** The server tells how clients' links are. */
export function linksAre(links: LinkUpdate): void {
  act(() => batchesReceived([{ events: [], usage: null, links }]));
}

interface Asked {
  /** "POST /api/v1/runs" */
  what: string;
  body: unknown;
}

type Answer = () => Response | Promise<Response>;

/** A server that gives these answers, by what is asked; everything else is not found. Returns what it was asked. */
export function serverAnswers(answers: Record<string, Answer>): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", async (request: Request): Promise<Response> => {
    const { pathname, search } = new URL(request.url);
    const what = `${request.method} ${pathname}${search}`;
    const text = await request.text();
    asked.push({ what, body: text === "" ? null : JSON.parse(text) });
    return (answers[what] ?? (() => problem(404, `There is no ${pathname}.`)))();
  });
  return asked;
}

/** What the server was told to do, without what was only looked up. */
export function toldIn(asked: readonly Asked[]): Asked[] {
  return asked.filter(({ what }) => !what.startsWith("GET "));
}

export function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
}

/** RFC 9457, as the server refuses a request. */
export function problem(status: number, detail: string, errors: FieldError[] = []): Response {
  const body = JSON.stringify({ type: "about:blank", title: "Refused", status, detail, errors });
  return new Response(body, { status, headers: { "content-type": "application/problem+json" } });
}

/** A server that takes its time: call what it returns to have it answer. */
export function answerLater(response: Response): { answer: Answer; go: () => void } {
  let go = (): void => undefined;
  const answered = new Promise<Response>((resolve) => {
    go = () => resolve(response);
  });
  return { answer: () => answered, go };
}
