/**
 * Keys by which a repeated request is known for what it is (IETF draft
 * `draft-ietf-httpapi-idempotency-key-header`): a publisher that got no answer
 * sends the same request again, and one message is kept.
 *
 * The key is written in the transaction that keeps the message. Crash before
 * the commit: neither is there, and the key is free. Crash after it: both are,
 * and the repeated request gets the id that the first would have got. Of two
 * requests at once in one process the second is refused until the first has
 * ended; of two in different processes the store takes one and answers the other
 * with it.
 */

import { CarillonError } from "../errors.ts";
import type { MessageId, ProjectId } from "../ids.ts";
import type { EpochMs } from "../time.ts";

/** A request that was made with a key. */
export interface IdempotentRequest {
  /** Whose keys are looked through: the publisher's project. */
  readonly projectId: ProjectId;
  readonly key: string;
  /** The same for the same request, another for any other. */
  readonly fingerprint: string;
  /** Under which it was first answered. */
  readonly requestId: string;
}

/** A key with what was kept under it. */
export interface IdempotencyKey extends IdempotentRequest {
  readonly messageId: MessageId;
  /** From then on the key is free again. */
  readonly expiresAt: EpochMs;
}

/** How long a key is remembered: 24 hours, in milliseconds. */
export const idempotencyKeyLifeMs = 86_400_000;

/** Longest key, in characters. */
export const maxIdempotencyKeyLength = 255;

/**
 * The key of a header's value: a string of Structured Fields (RFC 9651 §3.3.3,
 * in quotes), as the draft says, or the bare characters, as most clients send.
 *
 * @throws CarillonError IDEMPOTENCY_KEY_INVALID
 */
export function parseIdempotencyKey(value: string): string {
  const key = value.startsWith('"') ? unquoted(value) : bare(value);
  if (key !== undefined && key.length <= maxIdempotencyKeyLength) return key;
  throw new CarillonError(
    "IDEMPOTENCY_KEY_INVALID",
    `Invalid Idempotency-Key: one key of 1 to ${maxIdempotencyKeyLength} printable ASCII characters is expected, in quotes if it has blanks, commas or backslashes.`,
  );
}

function bare(value: string): string | undefined {
  return /^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]+$/.test(value) ? value : undefined;
}

function unquoted(value: string): string | undefined {
  const [, inner] =
    /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])+)"$/.exec(value) ?? [];
  return inner?.replace(/\\(.)/g, "$1");
}

/**
 * Whether a request repeats the one that a key was used for.
 *
 * @throws CarillonError IDEMPOTENCY_KEY_REUSED when it is another
 */
export function checkRepeated(
  request: Pick<IdempotentRequest, "fingerprint">,
  earlier: Pick<IdempotencyKey, "fingerprint">,
): void {
  if (request.fingerprint === earlier.fingerprint) return;
  throw new CarillonError(
    "IDEMPOTENCY_KEY_REUSED",
    "The Idempotency-Key was used for another request within the last 24 hours: send this one with a key of its own.",
  );
}
