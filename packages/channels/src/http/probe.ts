/**
 * One request to an endpoint, to see whether it can be reached. Goes the way
 * that notifications go: through the egress guard, following no redirects.
 */

import type { Clock, Probe, ProbeResult } from "@carillon/core";
import { excerptOfBody } from "../answer-text.ts";
import { createEgressConnector } from "../egress/egress-connector.ts";
import {
  type EgressGuard,
  EgressRefusedError,
} from "../egress/egress-guard.ts";
import { limitsForBody } from "../http-client/answer-reader.ts";
import { ConnectionPool } from "../http-client/connection-pool.ts";
import { RequestExchange } from "../http-client/request-exchange.ts";
import { secretsOfRequest, toRequestTarget } from "../request-target.ts";

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
  const pool = new ConnectionPool({
    ...limitsForBody(maxBodyBytes),
    connect: createEgressConnector(egress, ca === undefined ? {} : { ca }),
    clock,
    maxPerOrigin: Number.POSITIVE_INFINITY,
    // An endpoint is probed once in a while.
    maxIdle: 0,
  });

  return async ({ url, headers, topicUrn }, signal) => {
    const target = toRequestTarget(url);
    if (target === undefined) return { kind: "unanswered" };
    const exchange = new RequestExchange(pool, {
      method: "POST",
      target,
      headers: {
        "content-type": "application/json; charset=utf-8",
        "x-smn-message-type": "Detection",
        "x-smn-topic-urn": topicUrn,
        ...headers,
      },
      body: JSON.stringify({
        type: "Detection",
        topic_urn: topicUrn,
        timestamp: `${new Date(clock.now()).toISOString().slice(0, 19)}Z`,
      }),
      maxBodyBytes,
    });
    const deadline = new AbortController();
    const timer = clock.setTimer(timeoutMs, () => deadline.abort());
    try {
      const answer = await exchange.run(
        signal ? AbortSignal.any([signal, deadline.signal]) : deadline.signal,
      );
      return {
        kind: "answered",
        statusCode: answer.status,
        text: excerptOfBody(answer.body, answer.headers, {
          secrets: secretsOfRequest(url, headers),
          maxLength: maxBodyBytes,
        }),
      };
    } catch (error) {
      return toResult(error);
    } finally {
      timer.cancel();
    }
  };
}

function toResult(error: unknown): ProbeResult {
  if (error instanceof EgressRefusedError) {
    return { kind: "refused", message: error.refusal.message };
  }
  // Whatever else it was, no answer came.
  return { kind: "unanswered" };
}
