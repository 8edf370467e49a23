/**
 * Publishers in a process of their own. Each stream posts again and again,
 * each time with another text; what was answered 2xx is kept for the judge.
 */

import { Agent, request } from "undici";
import { basicAuthorization } from "./carillon-process.ts";
import { ChildScript, serveParent } from "./child-script.ts";

export interface Stream {
  readonly name: string;
  readonly path: string;
  /** `message` is added: the stream's name, a number and the padding. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly publishers: number;
  /** Between an answer and the next request of a publisher. Default 0. */
  readonly pauseMs?: number;
  /** Characters added to each text. Default 0. */
  readonly padding?: number;
}

export interface Accepted {
  readonly stream: string;
  readonly messageId: string;
  readonly text: string;
  /** When it was answered, milliseconds since the epoch. */
  readonly at: number;
}

export interface Refusals {
  count: number;
  /** Of these, how many had a Retry-After. */
  withRetryAfter: number;
  /** The first one's body. */
  readonly body: string;
}

export interface LoadReport {
  readonly accepted: readonly Accepted[];
  /** Requests that were cut off: nobody knows whether they were accepted. */
  readonly unanswered: number;
  /** By status code. */
  readonly refusals: ReadonlyMap<number, Refusals>;
}

const agent = new Agent({
  connections: 256,
  headersTimeout: 0,
  bodyTimeout: 0,
});
const accepted: Accepted[] = [];
const refusals = new Map<number, Refusals>();
let unanswered = 0;
let isRunning = false;
let publishing: Promise<unknown> = Promise.resolve();
let texts = 0;

async function publishAgainAndAgain(url: string, stream: Stream) {
  while (isRunning) {
    const wasTaken = await publishOnce(url, stream);
    // A server that is down or full is asked again, but not all the time.
    const pauseMs = Math.max(stream.pauseMs ?? 0, wasTaken ? 0 : 200);
    if (pauseMs > 0) await pause(pauseMs);
  }
}

async function publishOnce(url: string, stream: Stream): Promise<boolean> {
  const text = `${stream.name} ${++texts}`;
  const message = text + "x".repeat(stream.padding ?? 0);
  try {
    const { status, headers, body } = await post(url + stream.path, {
      ...stream.body,
      message,
    });
    if (status >= 300) {
      refuse(status, headers["retry-after"] !== undefined, body);
      return false;
    }
    const { message_id: messageId } = JSON.parse(body) as {
      message_id: string;
    };
    accepted.push({ stream: stream.name, messageId, text, at: Date.now() });
    return true;
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    // Refused at once: it never had the request.
    if (code !== "ECONNREFUSED") unanswered++;
    return false;
  }
}

async function post(url: string, body: unknown) {
  const answer = await request(url, {
    method: "POST",
    dispatcher: agent,
    headers: {
      authorization: basicAuthorization,
      "content-type": "application/json",
    },
    body: JSON.stringify(body),
  });
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body: await answer.body.text(),
  };
}

function refuse(status: number, retryAfter: boolean, body: string): void {
  const entry = refusals.get(status) ?? { count: 0, withRetryAfter: 0, body };
  entry.count++;
  if (retryAfter) entry.withRetryAfter++;
  refusals.set(status, entry);
}

const api = {
  start(url: string, streams: readonly Stream[]): void {
    if (isRunning) throw new Error("it runs already");
    isRunning = true;
    publishing = Promise.all(
      streams.flatMap((stream) =>
        Array.from({ length: stream.publishers }, () =>
          publishAgainAndAgain(url, stream),
        ),
      ),
    );
  },
  /** Resolves when each request under way has its answer. */
  async stop(): Promise<void> {
    isRunning = false;
    await publishing;
  },
  countAccepted: (): number => accepted.length,
  report: (): LoadReport => ({ accepted, unanswered, refusals }),
  /**
   * Posts each body once, so many at a time; ends at the first that is not
   * answered 2xx. Answers the time it took in milliseconds.
   */
  async postAll(
    url: string,
    bodies: readonly unknown[],
    concurrency: number,
  ): Promise<number> {
    const begun = performance.now();
    const queue = bodies.values();
    const work = async () => {
      // Shared by all: each takes the next one that is left.
      for (const body of queue) {
        const answer = await post(url, body);
        if (answer.status >= 300) throw new Error(answer.body);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
    return performance.now() - begun;
  },
};

export type Load = ChildScript<typeof api>;

export function startLoad(): Load {
  return new ChildScript<typeof api>(import.meta.url);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) serveParent(api);
