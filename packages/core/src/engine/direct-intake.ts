/**
 * What direct messages have in common, however they are handed over and kept:
 * their checks, their keys, and what follows once they are on disk.
 */

import { CarillonError } from "../errors.ts";
import type { MessageId, ProjectId } from "../ids.ts";
import {
  lastExpiryOf,
  type MessageLives,
  startOf,
} from "../messages/default-life.ts";
import {
  checkRepeated,
  type IdempotencyKey,
  type IdempotentRequest,
  idempotencyKeyLifeMs,
} from "../messages/idempotency-key.ts";
import type { MessageContent, NewMessage } from "../messages/message.ts";
import { RunningRequests } from "../messages/running-requests.ts";
import type { Clock } from "../ports/clock.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import type { IdempotencyStore } from "../ports/idempotency-store.ts";
import type { Protocol } from "../subscriptions/protocol.ts";
import { addMs } from "../time.ts";
import type { PublishRequest } from "./publish.ts";
import type { RequestChecks } from "./request-checks.ts";

/** A message that is on disk already, for the request was made before. */
export interface RepeatedMessage {
  readonly messageId: MessageId;
  /** The id of the request that it was first published with. */
  readonly repeatsRequestId: string;
}

export interface DirectIntake {
  /**
   * Carries out a request, or answers what came of the one that it repeats.
   *
   * @throws CarillonError IDEMPOTENCY_KEY_RUNNING, IDEMPOTENCY_KEY_REUSED,
   * SHUTTING_DOWN
   */
  once<Result>(
    repeatable: IdempotentRequest | undefined,
    work: () => Promise<Result>,
    repeat: (earlier: RepeatedMessage) => Promise<Result>,
  ): Promise<Result>;
  /**
   * A message for endpoints of these protocols; it lives as long as the longest
   * of them. See {@link RequestChecks}.
   */
  check(
    projectId: ProjectId,
    request: PublishRequest,
    to: ReadonlySet<Protocol>,
    content?: MessageContent,
  ): Promise<NewMessage>;
  /** Whether attempts of a protocol cost money. */
  isBillable(protocol: Protocol): boolean;
  /** Whether what is for endpoints of a protocol is fetched by them. */
  isFetched(protocol: Protocol): boolean;
  /**
   * Its deliveries are on disk. Lost in a crash here: the sweeper finds them.
   *
   * @param isWaiting they wait for something else than their time
   */
  onAccepted(
    message: Pick<NewMessage, "createdAt" | "notBefore">,
    isWaiting?: boolean,
  ): void;
}

export interface DirectIntakePorts {
  readonly store: Pick<IdempotencyStore, "findIdempotencyKey">;
  readonly checks: RequestChecks;
  readonly dispatcher: Pick<Dispatcher, "offer">;
  readonly clock: Pick<Clock, "now">;
  /** False once shutdown began. */
  readonly isOpen: () => boolean;
  /** A message was kept. */
  readonly onAccepted: () => void;
  readonly isBillable: (protocol: Protocol) => boolean;
  readonly isFetched: (protocol: Protocol) => boolean;
  readonly lives: MessageLives;
}

export function createDirectIntake(ports: DirectIntakePorts): DirectIntake {
  const { store, checks, dispatcher, clock, lives } = ports;
  const running = new RunningRequests();

  function checkOpen(): void {
    if (ports.isOpen()) return;
    throw new CarillonError(
      "SHUTTING_DOWN",
      "The service is shutting down; try again in a moment.",
    );
  }

  /** What a request with this key led to before, if it was made before. */
  async function findEarlier(
    request: IdempotentRequest,
  ): Promise<RepeatedMessage | undefined> {
    const { projectId, key } = request;
    const earlier = await store.findIdempotencyKey(projectId, key, clock.now());
    return earlier && toRepeated(request, earlier);
  }

  return {
    async once(repeatable, work, repeat) {
      checkOpen();
      // As nearly always.
      if (repeatable === undefined) return await work();
      return await running.run(repeatable, async () => {
        const earlier = await findEarlier(repeatable);
        return await (earlier ? repeat(earlier) : work());
      });
    },
    async check(projectId, request, to, content) {
      const checked = await checks.checkFor(to, projectId, request, content);
      const expiresAt = lastExpiryOf(checked, lives, to);
      return { ...checked, audience: "direct", expiresAt };
    },
    isBillable: ports.isBillable,
    isFetched: ports.isFetched,
    onAccepted(message, isWaiting = false) {
      ports.onAccepted();
      if (isWaiting) return;
      const dueInMs = startOf(message) - message.createdAt;
      dispatcher.offer({ kind: "delivery", dueInMs });
    },
  };
}

/** @throws CarillonError IDEMPOTENCY_KEY_REUSED */
export function toRepeated(
  request: IdempotentRequest,
  earlier: IdempotencyKey,
): RepeatedMessage {
  checkRepeated(request, earlier);
  const { messageId, requestId } = earlier;
  return { messageId, repeatsRequestId: requestId };
}

/** The key of a request, with the message that it led to. */
export function toKey(
  request: IdempotentRequest,
  { id, createdAt }: NewMessage,
): IdempotencyKey {
  return {
    ...request,
    messageId: id,
    expiresAt: addMs(createdAt, idempotencyKeyLifeMs),
  };
}
