/** The few calls of the public API that whole-program tests make. */

import { basicAuthorization, credentials } from "./carillon-process.ts";

export interface Reachable {
  readonly url: string;
}

export const notifications = `/v2/${credentials.projectId}/notifications`;

export function topicUrn(name: string): string {
  return `urn:smn:${credentials.region}:${credentials.projectId}:${name}`;
}

export const publishPath = (topic: string) =>
  `${notifications}/topics/${topicUrn(topic)}/publish`;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Any answer; rejects when none comes within the time. */
export async function request(
  { url }: Reachable,
  method: string,
  path: string,
  body?: unknown,
  timeoutMs = 30_000,
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: basicAuthorization,
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const { status, headers } = response;
  const text = await response.text();
  return { status, headers, body: text ? JSON.parse(text) : {} };
}

/** The body of a 2xx; rejects with any other answer in its message. */
export async function call(
  server: Reachable,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer["body"]> {
  const answer = await request(server, method, path, body);
  if (answer.status < 300) return answer.body;
  throw new Error(
    `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`,
  );
}

export async function createTopic(
  server: Reachable,
  name: string,
): Promise<void> {
  await call(server, "POST", `${notifications}/topics`, { name });
}

export async function subscribe(
  server: Reachable,
  topic: string,
  protocol: string,
  endpoint: string,
): Promise<void> {
  const path = `${notifications}/topics/${topicUrn(topic)}/subscriptions`;
  await call(server, "POST", path, { protocol, endpoint });
}

/** Answers the message's id. */
export async function publish(
  server: Reachable,
  topic: string,
  message: string,
): Promise<string> {
  const body = { subject: "test", message };
  const answer = await call(server, "POST", publishPath(topic), body);
  return String(answer.message_id);
}

/** Answers the message's id. */
export async function sendSms(
  server: Reachable,
  endpoint: string,
  message: string,
): Promise<string> {
  const body = { endpoint, message };
  const answer = await call(server, "POST", `${notifications}/sms`, body);
  return String(answer.message_id);
}
