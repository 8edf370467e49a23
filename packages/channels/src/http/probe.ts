/**
 * One request to an endpoint, to see whether it can be reached. Goes the way
 * that notifications go: through the egress guard, following no redirects.
 */

import type { Clock, Probe, ProbeResult } from "@carillon/core";
import { excerptOfBody } from "../answer-text.ts";
import {
  createEgressConnector,
  type EgressConnector,
} from "../egress/egress-connector.ts";
import {
  type EgressGuard,
  EgressRefusedError,
} from "../egress/egress-guard.ts";
import { toRequestTarget } from "../request-target.ts";

/** What a probe goes through, and how long it may take. */
export interface HttpProbeOptions {
  readonly egress: EgressGuard;
  readonly clock: Clock;
  /** For connection, request and answer. Default 5000. */
  readonly timeoutMs?: number;
  /** Certificate authorities (PEM) in place of the usual ones. */
  readonly ca?: string;
}

/** Of an answer's body, in bytes; a longer one is cut off. */
const maxBodyBytes = 1024;

/** Builds the probe that detections send. It never rejects. */
export function createHttpProbe({
  egress,
  clock,
  timeoutMs = 5000,
  ca,
}: HttpProbeOptions): Probe {
  const open = createEgressConnector(egress, ca === undefined ? {} : { ca });

  return async ({ url, headers, topicUrn }, signal) => {
    // Not with the module: a start does without.
    const { Client } = await import("undici");
    if (signal?.aborted) return { kind: "unanswered" };
    const target = toRequestTarget(url);
    if (target === undefined) return { kind: "unanswered" };
    const { origin, path, authorization } = target;
    let socket: ReturnType<EgressConnector>;
    const client = new Client(origin, {
      connect: (options, callback) => {
        socket = open(options, callback);
      },
    });
    const deadline = new AbortController();
    const abort = () => deadline.abort();
    const timer = clock.setTimer(timeoutMs, abort);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const answer = await client.request({
        method: "POST",
        path,
        headers: {
          "content-type": "application/json; charset=utf-8",
          "x-smn-message-type": "Detection",
          "x-smn-topic-urn": topicUrn,
          ...headers,
          ...(authorization !== undefined && { authorization }),
        },
        body: JSON.stringify({
          type: "Detection",
          topic_urn: topicUrn,
          timestamp: `${new Date(clock.now()).toISOString().slice(0, 19)}Z`,
        }),
        signal: deadline.signal,
      });
      const beginning = await readBeginning(answer.body);
      return {
        kind: "answered",
        statusCode: answer.statusCode,
        text: excerptOfBody(beginning, answer.headers, maxBodyBytes),
      };
    } catch (error) {
      return toResult(error);
    } finally {
      timer.cancel();
      signal?.removeEventListener("abort", abort);
      // Also one that never came to be a connection.
      socket?.destroy();
      await client.destroy();
    }
  };
}

async function readBeginning(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= maxBodyBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxBodyBytes);
}

function toResult(error: unknown): ProbeResult {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof EgressRefusedError) {
      return { kind: "refused", message: cause.refusal.message };
    }
  }
  // Whatever else it was, no answer came.
  return { kind: "unanswered" };
}
