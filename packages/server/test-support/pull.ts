/** Publishers and subscribers of a test server, and what they ask it. */

import assert from "node:assert/strict";
import type { InjectOptions } from "fastify";
import { type Answer, parse, type TestServer } from "./test-server.ts";

export interface TestAccount {
  readonly id: string;
  readonly name: string;
  readonly secret: string;
}

/** A member of the project makes it. */
export async function createAccount(
  { call }: TestServer,
  kind: "publishers" | "subscribers",
  name: string,
  more: object = {},
): Promise<TestAccount> {
  const { status, body } = await call("POST", `/api/v2/${kind}`, {
    name,
    ...more,
  });
  assert.equal(status, 201, JSON.stringify(body));
  return body;
}

/** The publisher `news` has these categories; the subscriber follows them. */
export async function follow(
  { call }: TestServer,
  subscriber: string,
  categories: readonly string[] = [],
): Promise<void> {
  for (const reference of categories) {
    await call("POST", "/api/v2/publishers/news/categories", { reference });
  }
  const { status, body } = await call(
    "POST",
    `/api/v2/subscribers/${subscriber}/following`,
    { publisher: "news", categories },
  );
  assert.equal(status, 200, JSON.stringify(body));
}

/** `Basic` credentials of an account's own. */
export function basicOf({ id, secret }: Omit<TestAccount, "name">): string {
  return `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`;
}

/** What waits for the clock, which stands still, until it is answered. */
export async function settled<Result>(
  { clock }: Pick<TestServer, "clock">,
  pending: PromiseLike<Result>,
): Promise<Result> {
  let isSettled = false;
  const watched = Promise.resolve(pending).finally(() => {
    isSettled = true;
  });
  while (!isSettled) await clock.advanceSettled(1);
  return await watched;
}

/** A request with these credentials; without any, those of the project. */
export async function ask(
  server: TestServer,
  method: "GET" | "POST" | "PUT" | "DELETE" | "PATCH" | "HEAD",
  url: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {
    authorization: server.authorization,
  },
): Promise<Answer> {
  const options: InjectOptions = {
    method,
    url,
    headers,
    ...(body !== undefined && {
      payload: typeof body === "string" ? body : JSON.stringify(body),
    }),
  };
  const response = await settled(server, server.app.inject(options));
  return {
    status: response.statusCode,
    headers: response.headers,
    body: parse(response.body),
  };
}

/** Publishes to all subscribers of `news`; answers the ids of the messages. */
export async function publishAll(
  server: TestServer,
  ...messages: readonly (string | object)[]
): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const message of messages) {
    const { status, body } = await ask(
      server,
      "POST",
      "/api/v2/publishers/news/messages",
      typeof message === "string" ? { message } : message,
    );
    assert.equal(status, 201, JSON.stringify(body));
    ids.push(body.id);
  }
  return ids;
}
