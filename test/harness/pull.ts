/** What whole-program tests do with publishers and subscribers that fetch. */

import { call, type Reachable, request, topicUrn } from "./api.ts";
import { basicAuthorization } from "./carillon-process.ts";

/** Credentials, as they were shown once. */
export interface Account {
  readonly id: string;
  readonly secret: string;
}

export interface Pulled {
  readonly id: string;
  readonly leaseId: string;
  readonly leaseUntil: string;
  readonly deliveryCount: number;
  readonly body: string;
  readonly categories: readonly string[];
  readonly createdAt: string;
  readonly orderingKey?: string;
}

export const basic = ({ id, secret }: Account) =>
  `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`;

export async function createPublisher(
  server: Reachable,
  name: string,
): Promise<Account> {
  return toAccount(await call(server, "POST", "/api/v2/publishers", { name }));
}

export async function addCategory(
  server: Reachable,
  publisher: string,
  reference: string,
): Promise<void> {
  const path = `/api/v2/publishers/${publisher}/categories`;
  await call(server, "POST", path, { reference });
}

export async function createSubscriber(
  server: Reachable,
  name: string,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Account> {
  const body = { name, ...settings };
  return toAccount(await call(server, "POST", "/api/v2/subscribers", body));
}

function toAccount(body: Readonly<Record<string, unknown>>): Account {
  const { id, secret } = body;
  if (typeof id === "string" && typeof secret === "string") {
    return { id, secret };
  }
  throw new Error(`No credentials: ${JSON.stringify(body)}`);
}

export async function follow(
  server: Reachable,
  subscriber: string,
  publisher: string,
  categories: readonly string[] = [],
): Promise<void> {
  const path = `/api/v2/subscribers/${subscriber}/following`;
  await call(server, "POST", path, { publisher, categories });
}

/** Of our own API: SMN's has no protocol pull. */
export const subscriptionsPath = (topic: string) =>
  `/api/v2/topics/${topicUrn(topic)}/subscriptions`;

/** Has a mailbox filled from a topic. */
export async function subscribeMailbox(
  server: Reachable,
  topic: string,
  mailbox: string,
  extension?: Readonly<Record<string, unknown>>,
): Promise<void> {
  await call(server, "POST", subscriptionsPath(topic), {
    protocol: "pull",
    endpoint: mailbox,
    ...(extension && { extension }),
  });
}

const path = (mailbox: string) => `/api/v2/subscriptions/${mailbox}`;

export interface Receive {
  readonly max?: number;
  /** Seconds. */
  readonly wait?: number;
  /** Seconds. */
  readonly lease?: number;
}

export async function receive(
  server: Reachable,
  mailbox: string,
  options: Receive = {},
): Promise<readonly Pulled[]> {
  const query = new URLSearchParams(
    Object.entries(options).map(([name, value]): [string, string] => [
      name,
      String(value),
    ]),
  );
  const answer = await request(
    server,
    "GET",
    `${path(mailbox)}/messages?${query}`,
    undefined,
    90_000,
  );
  if (answer.status === 200 && Array.isArray(answer.body)) return answer.body;
  throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
}

export interface Settled {
  readonly acked?: readonly string[];
  readonly nacked?: readonly string[];
  readonly extended?: readonly string[];
  readonly stale: readonly string[];
}

export async function settle(
  server: Reachable,
  mailbox: string,
  action: "ack" | "nack" | "extend",
  messages: readonly Pick<Pulled, "leaseId">[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<Settled> {
  const leaseIds = messages.map(({ leaseId }) => leaseId);
  const body = { leaseIds, ...more };
  const to = `${path(mailbox)}/messages:${action}`;
  // Its shape is openapi.json's; the server's own tests hold it.
  return (await call(server, "POST", to, body)) as unknown as Settled;
}

export interface Dead {
  readonly id: string;
  readonly deliveryCount: number;
  readonly reason: string;
}

export async function listDead(
  server: Reachable,
  mailbox: string,
): Promise<readonly Dead[]> {
  const { dead } = await call(server, "GET", `${path(mailbox)}/dead`);
  if (Array.isArray(dead)) return dead;
  throw new Error(`No list: ${JSON.stringify(dead)}`);
}

export async function redrive(
  server: Reachable,
  mailbox: string,
): Promise<unknown> {
  const to = `${path(mailbox)}/dead:redrive`;
  return (await call(server, "POST", to, {})).redriven;
}

/** Where a mailbox's stream is; the credentials are the project's. */
export const streamPath = (mailbox: string, query = "") =>
  `${path(mailbox)}/stream${query}`;

/** A connection of the WebSocket protocol `notify.v2`, and what it was told. */
export class PullSocket implements AsyncDisposable {
  readonly frames: Readonly<Record<string, unknown>>[] = [];
  readonly #socket: WebSocket;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.addEventListener("close", ({ code, reason }) => {
        resolve({ code, reason });
      });
    });
    socket.addEventListener("message", ({ data }) => {
      this.frames.push(JSON.parse(String(data)));
    });
  }

  static async open(
    { url }: Reachable,
    mailbox: string,
    query = "",
  ): Promise<PullSocket> {
    const socket = new WebSocket(
      `${url.replace("http", "ws")}${path(mailbox)}/ws${query}`,
      {
        protocols: ["notify.v2"],
        headers: { authorization: basicAuthorization },
      },
    );
    const opened = new PullSocket(socket);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", () => {
        reject(new Error("The WebSocket was not opened"));
      });
    });
    return opened;
  }

  /** Messages that came, in their order. */
  get messages(): readonly Pulled[] {
    return this.frames
      .filter(({ type }) => type === "message")
      .map((frame) => frame as unknown as Pulled);
  }

  send(frame: Readonly<Record<string, unknown>>): void {
    this.#socket.send(JSON.stringify(frame));
  }

  close(code: number): void {
    this.#socket.close(code);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    this.#socket.close(3000);
    await this.closed;
  }
}
