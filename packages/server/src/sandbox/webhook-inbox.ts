/** Keeps what was posted to the sandbox's webhooks. */

import type { Clock, EpochMs, NewId, ProjectId } from "@carillon/core";
import { createPauses, type Pauses } from "./pauses.ts";
import { RingBuffer } from "./ring-buffer.ts";

export interface WebhookRequest {
  readonly id: string;
  readonly receivedAt: EpochMs;
  readonly name: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: string;
  /** What it answers. */
  readonly status: number;
  /** Of the topic that it says it is from. */
  readonly projectId?: ProjectId | undefined;
  readonly bytes: number;
}

/** All by default. */
export interface WebhookFilter {
  readonly name?: string;
  readonly isSeen?: (request: WebhookRequest) => boolean;
}

export interface WebhookInbox extends Pauses {
  add(request: Omit<WebhookRequest, "id" | "receivedAt" | "bytes">): void;
  /** Oldest first. */
  list(filter?: WebhookFilter): readonly WebhookRequest[];
  clear(filter?: WebhookFilter): void;
}

const maxRequests = 1000;
const maxBytes = 64 * 1024 * 1024;

export function createWebhookInbox(ports: {
  readonly clock: Clock;
  readonly newId: NewId;
}): WebhookInbox {
  const { clock, newId } = ports;
  const requests = new RingBuffer<WebhookRequest>({
    maxItems: maxRequests,
    maxBytes,
  });
  return {
    add(request) {
      const bytes = Buffer.byteLength(request.body) + 1024;
      requests.add({
        id: newId(),
        receivedAt: clock.now(),
        ...request,
        bytes,
      });
    },
    list: (filter = {}) => requests.items.filter(toTest(filter)),
    clear: (filter = {}) => requests.clear(toTest(filter)),
    ...createPauses(clock),
  };
}

function toTest({ name, isSeen = () => true }: WebhookFilter) {
  return (request: WebhookRequest) =>
    (name === undefined || request.name === name) && isSeen(request);
}
