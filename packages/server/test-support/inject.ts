/** Calls an app without a socket, also where its answer does not end. */

import type { InjectOptions } from "fastify";
import type { HttpApp } from "../src/api/http-app.ts";

export interface Injected {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Of a stream of events the first part, after which it is left. */
export async function inject(
  app: HttpApp,
  options: InjectOptions,
): Promise<Injected> {
  const response = await app.inject({ ...options, payloadAsStream: true });
  const { statusCode, headers } = response;
  const isEndless = String(headers["content-type"]).startsWith(
    "text/event-stream",
  );
  let body = "";
  for await (const chunk of response.stream()) {
    body += chunk;
    if (isEndless) break;
  }
  return { statusCode, headers, body };
}
