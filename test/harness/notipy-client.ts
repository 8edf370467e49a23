/**
 * Clients of the Notipy protocol, as strict as the published ones: whatever is not
 * answered exactly as they want it is an error. One is our own, and writes what
 * Python's `requests` writes; the other is a program in Python.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Reachable } from "./api.ts";
import { type Account, basic } from "./pull.ts";
import { findSystemProgram } from "./system-program.ts";

export interface NotipyMessage {
  readonly id: number;
  readonly body: string;
  readonly created: string;
}

export interface NotipyCounts {
  readonly passed: number;
  readonly failed: number;
  readonly total: number;
}

/** Each rejects with an Error whose message is the status, if it is not 200. */
export interface NotipyClient extends AsyncDisposable {
  publish(
    publisher: Account,
    message: string,
    category?: string | readonly string[],
  ): Promise<NotipyCounts>;
  poll(subscriber: Account): Promise<readonly NotipyMessage[]>;
  /** The same request as a poll; its answer is not looked at. */
  confirm(subscriber: Account): Promise<void>;
}

export interface NotipyClientKind {
  readonly name: string;
  readonly skip: string | false;
  start(server: Reachable): NotipyClient;
}

const python = findSystemProgram("python3", "python3");

export const notipyClients: readonly NotipyClientKind[] = [
  {
    name: "what requests writes",
    skip: false,
    start: (server) => new WireClient(server),
  },
  {
    name: "Python's standard library",
    skip: python.missing,
    start: (server) => new PythonClient(server),
  },
];

interface RawAnswer {
  readonly status: number;
  readonly text: string;
}

/** A request of the protocol on a connection of its own, whatever the answer. */
export async function askNotipy(
  { url }: Reachable,
  method: string,
  headers: Readonly<Record<string, string>>,
  body?: string,
): Promise<RawAnswer> {
  const sent = request(`${url}/api/v1/notification`, {
    method,
    agent: false,
    headers: {
      ...headers,
      ...(body !== undefined && { "content-length": Buffer.byteLength(body) }),
    },
    signal: AbortSignal.timeout(30_000),
  });
  sent.end(body);
  const [answer] = await once(sent, "response");
  let text = "";
  for await (const chunk of answer) text += chunk;
  return { status: answer.statusCode, text };
}

/** What each request of Python's client has beside its credentials. */
export const pythonHeaders = {
  "user-agent": "python-requests/2.32.3",
  "accept-encoding": "gzip, deflate",
  accept: "*/*",
};

class WireClient implements NotipyClient {
  readonly #server: Reachable;

  constructor(server: Reachable) {
    this.#server = server;
  }

  async publish(
    publisher: Account,
    message: string,
    category: string | readonly string[] = "*",
  ): Promise<NotipyCounts> {
    const counts = await this.#ask("POST", publisher, { message, category });
    const { success, fail, total } = Object(counts);
    return { passed: success, failed: fail, total };
  }

  async poll(subscriber: Account): Promise<readonly NotipyMessage[]> {
    const messages = await this.#ask("GET", subscriber);
    if (!Array.isArray(messages)) throw new Error("no list");
    for (const { created, body } of messages) {
      if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(created)) {
        throw new Error(`created: ${created}`);
      }
      if (typeof body !== "string") throw new Error(`body: ${body}`);
    }
    return messages;
  }

  async confirm(subscriber: Account): Promise<void> {
    await this.#ask("GET", subscriber);
  }

  async #ask(
    method: string,
    account: Account,
    body?: unknown,
  ): Promise<unknown> {
    const { status, text } = await askNotipy(
      this.#server,
      method,
      {
        ...pythonHeaders,
        authorization: basic(account),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      body === undefined ? undefined : toAscii(JSON.stringify(body)),
    );
    if (status !== 200) throw new Error(String(status));
    return JSON.parse(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** As Python's `json.dumps` writes it. */
function toAscii(json: string): string {
  return json.replaceAll(
    /[^\0-~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** One request at a time. */
class PythonClient implements NotipyClient {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor({ url }: Reachable) {
    const script = new URL("notipy-client.py", import.meta.url);
    const child = spawn(python.path, [fileURLToPath(script), url], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const lines: Interface = createInterface({ input: child.stdout });
    this.#child = child;
    this.#lines = lines[Symbol.asyncIterator]();
  }

  async publish(
    publisher: Account,
    message: string,
    category: string | readonly string[] = "*",
  ): Promise<NotipyCounts> {
    const counts = await this.#ask("publish", publisher, message, category);
    // The script says that it answers this.
    return counts as NotipyCounts;
  }

  async poll(subscriber: Account): Promise<readonly NotipyMessage[]> {
    return (await this.#ask("poll", subscriber)) as NotipyMessage[];
  }

  async confirm(subscriber: Account): Promise<void> {
    await this.#ask("confirm", subscriber);
  }

  async #ask(
    name: string,
    { id, secret }: Account,
    ...more: readonly unknown[]
  ): Promise<unknown> {
    const line = JSON.stringify([name, [id, secret], ...more]);
    this.#child.stdin?.write(`${line}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("The Python program ended");
    const reply = JSON.parse(value);
    if ("error" in reply) throw new Error(reply.error);
    return reply.value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      return;
    }
    const gone = once(this.#child, "exit");
    this.#child.kill();
    await gone;
  }
}
