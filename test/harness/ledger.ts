/** What the server says of messages and their deliveries, through its API. */

import { call, type Reachable } from "./api.ts";

export interface MessageRecord {
  readonly id: string;
  readonly audience: string;
  readonly topicName?: string;
  readonly fannedOut: boolean;
  /** Deliveries by state. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface DeliveryRecord {
  readonly endpoint: string;
  readonly state: string;
  readonly attemptCount: number;
  readonly error?: string;
}

/** Nothing follows on any of these. */
const finalStates: ReadonlySet<string> = new Set([
  "delivered",
  "failed",
  "rejected",
  "debug",
  "filtered",
  "suppressed",
  "expired",
  "cancelled",
]);

/** All messages, newest first. */
export async function listMessages(
  server: Reachable,
): Promise<MessageRecord[]> {
  const all: MessageRecord[] = [];
  let before = "";
  for (;;) {
    const path = `/api/v2/messages?limit=1000${before}`;
    // Shapes are those of openapi.json; the server's own tests hold them.
    const page = (await call(server, "GET", path)) as unknown as {
      readonly messages: readonly MessageRecord[];
      readonly next?: string;
    };
    all.push(...page.messages);
    if (page.next === undefined) return all;
    before = `&before=${page.next}`;
  }
}

export async function getMessage(
  server: Reachable,
  id: string,
): Promise<MessageRecord> {
  const path = `/api/v2/messages/${id}`;
  return (await call(server, "GET", path)) as unknown as MessageRecord;
}

export async function listDeliveries(
  server: Reachable,
  messageId: string,
): Promise<readonly DeliveryRecord[]> {
  const path = `/api/v2/messages/${messageId}/deliveries?limit=1000`;
  const page = (await call(server, "GET", path)) as unknown as {
    readonly deliveries: readonly DeliveryRecord[];
  };
  return page.deliveries;
}

/**
 * True when all deliveries of a message are there and in final states; a text
 * message to a phone may be `unknown`.
 */
export function isFinished(
  { audience, fannedOut, counts }: MessageRecord,
  deliveries: number,
): boolean {
  if (!fannedOut) return false;
  let known = 0;
  for (const [state, count] of Object.entries(counts)) {
    const isFinal =
      finalStates.has(state) || (state === "unknown" && audience === "direct");
    if (!isFinal && count > 0) return false;
    known += count;
  }
  return known >= deliveries;
}
