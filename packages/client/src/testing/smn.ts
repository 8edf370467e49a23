/** A connection to a test server that answers like SMN. */

import { connect } from "../connection.ts";
import type { Smn } from "../smn/smn.ts";
import { type Answer, type ReceivedRequest, serve } from "./serve.ts";

export const projectId = "0f3c5d1e2a4b46788899aabbccddeeff";
export const topicUrn = `urn:smn:eu-de:${projectId}:alerts`;

export interface SmnTest extends AsyncDisposable {
  readonly smn: Smn;
  readonly requests: readonly ReceivedRequest[];
}

export async function serveSmn(answer: Answer): Promise<SmnTest> {
  const server = await serve(answer);
  const { smn } = connect({
    endpoint: server.url,
    projectId,
    token: "t",
    retry: { baseDelayMs: 1 },
  });
  return {
    smn,
    requests: server.requests,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Method, path below the project, and body of a request. */
export function outline(
  request: ReceivedRequest | undefined,
): readonly [string, string, unknown] | undefined {
  return (
    request && [
      request.method,
      request.path.replace(`/v2/${projectId}/notifications/`, ""),
      request.json,
    ]
  );
}

/** What a list of this name is asked for, besides limit and offset. */
export function filters(
  request: ReceivedRequest | undefined,
): Record<string, string> {
  const { limit, offset, ...rest } = Object.fromEntries(request?.query ?? []);
  return rest;
}
