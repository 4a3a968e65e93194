/** What people at a client's own page have it do (`client/offline/actions.py`). */
import { NoStatus } from "./status";

/** An invitation as it is handed out, once. */
export interface MadeInvitation {
  text: string;
  /** The text as QR code: an SVG picture. */
  qr: string;
  /** Unix seconds. */
  expires: number;
  /** Whether only nodes of this machine can come by it. */
  only_here: boolean;
}

async function act(name: string, fields: Record<string, string> = {}): Promise<unknown> {
  return post(name, "application/json", JSON.stringify(fields));
}

async function post(name: string, kind: string, body: string | Blob): Promise<unknown> {
  const response = await fetch(`/api/${name}`, {
    method: "POST",
    headers: { "content-type": kind },
    body,
  }).catch(() => {
    throw new NoStatus("The client does not answer: nothing was changed.");
  });
  if (!response.ok) throw new NoStatus((await response.text()).trim());
  return response.json();
}

export async function invite(): Promise<MadeInvitation> {
  return (await act("invite")) as MadeInvitation;
}

export type PeerAction = "block" | "unblock" | "unpair";

/** Resolves to why it was not done, or null. */
export async function actOn(action: PeerAction, key: string): Promise<string | null> {
  return refusal(act(action, { key }));
}

/** Resolves to why it was not done, or null. */
export async function withdraw(): Promise<string | null> {
  return refusal(act("withdraw"));
}

/** The largest picture that a client takes (`client/page/answers.py`). */
const MOST_BYTES = 16 * 2 ** 20;

/**
 * Has the client come by an invitation of another node: its text, or a picture of its code. Resolves to why it does not
 * try, or null; what comes of it, the status tells.
 */
export async function join(invitation: string | File): Promise<string | null> {
  if (typeof invitation === "string") return refusal(act("join", { text: invitation }));
  if (invitation.size > MOST_BYTES) return `${invitation.name} has more than 16 MB. Cut out the code.`;
  return refusal(post("join", invitation.type, invitation));
}

async function refusal(done: Promise<unknown>): Promise<string | null> {
  try {
    await done;
    return null;
  } catch (error) {
    if (error instanceof NoStatus) return error.message;
    throw error;
  }
}
