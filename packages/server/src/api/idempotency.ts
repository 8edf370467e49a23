/**
 * The header `Idempotency-Key`: a request that is sent again because no answer
 * came is carried out once, and answered as it was the first time.
 */

import { createHash } from "node:crypto";
import {
  type IdempotentRequest,
  type ProjectId,
  type PublishedMessage,
  parseIdempotencyKey,
} from "@carillon/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import { projectOf } from "./authentication.ts";

/**
 * The request by its key; `undefined` when it has none. Its fingerprint is a
 * hash of the operation and of the body as JSON, whatever blanks were in it.
 *
 * @param operation what the request does and to what, beside its body
 * @param projectId default: the caller's
 * @throws CarillonError IDEMPOTENCY_KEY_INVALID
 */
export function repeatableOf(
  request: FastifyRequest,
  operation: string,
  projectId: ProjectId = projectOf(request),
): IdempotentRequest | undefined {
  const header = request.headers["idempotency-key"];
  if (header === undefined) return undefined;
  // Node joins those that come more than once, which is no key.
  const key = parseIdempotencyKey(String(header));
  const fingerprint = createHash("sha256")
    .update(`${operation}\n`)
    .update(JSON.stringify(request.body) ?? "")
    .digest("base64url");
  return { projectId, key, fingerprint, requestId: request.id };
}

/** The id that the answer is given under; says so when it is an earlier one. */
export function answeredId(
  request: FastifyRequest,
  reply: FastifyReply,
  { repeatsRequestId }: PublishedMessage,
): string {
  if (repeatsRequestId === undefined) return request.id;
  reply.header("idempotency-replayed", "true");
  return repeatsRequestId;
}
