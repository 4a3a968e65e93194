/** Requests to the server, by the paths and types of its OpenAPI document. A failure can be shown as it is. */
import createClient, { createFinalURL, createQuerySerializer, defaultPathSerializer } from "openapi-fetch";
import { BASE } from "./base";
import type { paths } from "./schema";
import type { FieldError, Problem } from "./types";

/** Its message says what happened, what it means and what to do. */
export class RequestFailed extends Error {
  constructor(
    message: string,
    readonly status: number | null = null,
    readonly fields: readonly FieldError[] = [],
  ) {
    super(message);
    this.name = "RequestFailed";
  }
}

const NO_ANSWER = "The server did not answer, so nothing was changed. Try again when it is back.";
const CUT_SHORT = "The answer was cut short or does not come from the server.";

/** Each answer goes through `answerOf`. */
export const client = createClient<paths>({ baseUrl: `${location.origin}${BASE}`, fetch: send });

async function send(request: Request): Promise<Response> {
  const token = proof.csrf();
  if (token !== null && request.method !== "GET") request.headers.set("X-CSRF-Token", token);
  try {
    return await fetch(request);
  } catch {
    throw new RequestFailed(NO_ANSWER);
  }
}

/** How a change that is made with a cookie shows that it comes from this page; set once it is known who reads it. */
export const proof: { csrf: () => string | null } = { csrf: () => null };

interface Answer<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

/** What the server answered. Rejects with RequestFailed, whatever went wrong. */
export async function answerOf<Data>(sent: Promise<Answer<Data>>): Promise<Data> {
  const { data, error, response } = await sent.catch((failure: unknown) => {
    throw failure instanceof RequestFailed ? failure : new RequestFailed(CUT_SHORT);
  });
  if (!response.ok) throw refusalOf(response, error);
  if (data === undefined) throw new RequestFailed(CUT_SHORT);
  return data;
}

/** For what is answered without a word. Rejects with RequestFailed. */
export async function doneBy(sent: Promise<Answer<unknown>>): Promise<void> {
  const { error, response } = await sent.catch((failure: unknown) => {
    throw failure instanceof RequestFailed ? failure : new RequestFailed(CUT_SHORT);
  });
  if (!response.ok) throw refusalOf(response, error);
}

/** RFC 9457, if the answer is the server's own; a proxy answers otherwise. */
function refusalOf({ status, statusText }: Response, body: unknown): RequestFailed {
  const problem: Partial<Problem> = typeof body === "object" && body !== null ? body : {};
  const words = [problem.detail, problem.title].find((each) => each !== undefined && each !== "");
  const answered = `The server answered ${`${status} ${statusText}`.trim()}.`;
  return new RequestFailed(words ?? answered, status, problem.errors ?? []);
}

type GetParameters<Path extends keyof paths> = paths[Path] extends { get: { parameters: infer Parameters } }
  ? Parameters
  : never;

/** The address of what is downloaded by a link. */
export function urlOf<Path extends keyof paths>(path: Path, params: GetParameters<Path>): string {
  return createFinalURL(path, {
    baseUrl: BASE,
    params: params as object,
    querySerializer: createQuerySerializer(),
    pathSerializer: defaultPathSerializer,
  });
}
