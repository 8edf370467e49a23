/**
 * The header `Idempotency-Key`: a request that is sent again because no answer
 * came is carried out once, and answered as it was the first time.
 */

import { createHash } from "node:crypto";
import {
  type IdempotentRequest,
  type ProjectId,
  type PublishedMessage,
  type PublisherId,
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
 * @param account has keys of its own in the project; default: those of the project
 * @throws CarillonError IDEMPOTENCY_KEY_INVALID
 */
export function repeatableOf(
  request: FastifyRequest,
  operation: string,
  projectId: ProjectId = projectOf(request),
  account?: PublisherId,
): IdempotentRequest | undefined {
  const header = request.headers["idempotency-key"];
  if (header === undefined) return undefined;
  // Node joins those that come more than once, which is no key.
  const given = parseIdempotencyKey(String(header));
  // No key of the project has a line end in it.
  const key = account === undefined ? given : `${account}\n${given}`;
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
