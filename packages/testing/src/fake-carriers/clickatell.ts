/**
 * A carrier that speaks the wire format of Clickatell's One API over HTTP, for
 * tests: texts by the dozen, each with an answer of its own, their states, the
 * balance, and the events that it calls with. Nothing of it is shared with the
 * provider that is tested.
 */

import { randomBytes } from "node:crypto";
import {
  type CarrierAnswer,
  type FakeCarrier,
  startFakeCarrier,
} from "./fake-carrier.ts";

/** A text that was accepted. */
export interface FakeClickatellText {
  readonly id: string;
  /** As they were sent: `channel`, `to`, `from`, `content`, … */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Why a text or a request is refused. */
export interface FakeClickatellError {
  readonly code: number;
  readonly description: string;
}

export interface FakeClickatellOptions {
  readonly apiKey: string;
  /** What is said to a text; `undefined`: it is accepted. */
  readonly answer?: (
    fields: Readonly<Record<string, unknown>>,
  ) => FakeClickatellError | "silence" | undefined;
}

/** Where an integration calls, and what it presents there. */
export interface FakeClickatellCallback {
  readonly url: string;
  readonly auth?: { readonly user: string; readonly pass: string };
}

/** Stands in for `https://platform.clickatell.com`. */
export interface FakeClickatell extends FakeCarrier {
  /** Oldest first. */
  readonly texts: readonly FakeClickatellText[];
  /** From here on, texts are reported there: first `QUEUED`, then `DEVICE_ACK`. */
  setCallback(callback: FakeClickatellCallback): void;
  /** Calls with anything; answers the HTTP status of the answer. */
  call(callback: FakeClickatellCallback, body: unknown): Promise<number>;
  /** Calls with an event `messageStatusUpdate`; answers the HTTP status. */
  report(
    callback: FakeClickatellCallback,
    messageId: string,
    statusCode: number,
    more?: Readonly<Record<string, unknown>>,
  ): Promise<number>;
  /** Calls with an event `moText`; answers the HTTP status. */
  handOver(
    callback: FakeClickatellCallback,
    fields: Readonly<Record<string, unknown>>,
  ): Promise<number>;
}

const words: Readonly<Record<number, string>> = {
  1: "UNKNOWN",
  2: "QUEUED",
  4: "SENT_TO_SUPPLIER",
  5: "DEVICE_ACK",
  20: "EXPIRED",
  23: "DELIVERY_FAILURE",
};

const maxTexts = 200;

/** Starts on a free port of this machine. */
export async function startFakeClickatell({
  apiKey,
  answer = () => undefined,
}: FakeClickatellOptions): Promise<FakeClickatell> {
  const texts: FakeClickatellText[] = [];
  const states = new Map<string, number>();
  let callback: FakeClickatellCallback | undefined;

  const call: FakeClickatell["call"] = async ({ url, auth }, body) => {
    const credentials = auth && Buffer.from(`${auth.user}:${auth.pass}`);
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(credentials && {
          authorization: `Basic ${credentials.toString("base64")}`,
        }),
      },
      body: JSON.stringify(body),
    });
    await response.arrayBuffer();
    return response.status;
  };

  function callWith(where: FakeClickatellCallback, event: object) {
    const integration = { integrationId: "ff80", integrationName: "Test" };
    return call(where, { ...integration, event });
  }

  const report: FakeClickatell["report"] = (where, id, statusCode, more) => {
    states.set(id, statusCode);
    const update = {
      channel: "sms",
      messageId: id,
      timestamp: Date.now(),
      statusCode,
      status: words[statusCode] ?? "OTHER",
      ...more,
    };
    return callWith(where, { messageStatusUpdate: [update] });
  };

  /** One text's part of the answer; `undefined`: there will be none. */
  async function take(fields: Record<string, unknown>) {
    const { to, content } = fields;
    const other = answer(fields);
    if (other === "silence") return undefined;
    const error = other ?? problemWith(fields);
    if (error) {
      return { apiMessageId: null, accepted: false, to, error };
    }
    const id = randomBytes(16).toString("hex");
    texts.push({ id, fields: { ...fields, content } });
    states.set(id, 2);
    // Before the answer, as it may happen.
    if (callback) {
      await report(callback, id, 2);
      await report(callback, id, 5);
    }
    return { apiMessageId: id, accepted: true, to, error: null };
  }

  async function takeAll(text: string): Promise<CarrierAnswer | "silence"> {
    const messages = messagesOf(text);
    if (!messages) return refusal(400, 21, "Payload data is malformed");
    if (messages.length > maxTexts) {
      return refusal(400, 22, "Maximum messages per request exceeded");
    }
    const taken = [];
    for (const message of messages) {
      const one = await take(message);
      if (one === undefined) return "silence";
      taken.push(one);
    }
    const accepted = taken.filter((it) => it.accepted).length;
    const mixed = accepted === 0 ? 400 : 207;
    return {
      status: accepted === taken.length ? 202 : mixed,
      body: { messages: taken, error: null },
    };
  }

  const carrier = await startFakeCarrier(({ method, path, headers, text }) => {
    if (headers.authorization !== apiKey) {
      return refusal(401, 1, "Invalid or missing Integration API Key");
    }
    if (method === "POST" && path === "/v1/message") return takeAll(text);
    if (method === "GET" && path === "/public-client/balance") {
      return { body: { balance: 250.5, currency: "ZAR" } };
    }
    if (method === "GET" && path.startsWith("/v1/message/")) {
      const state = states.get(path.slice("/v1/message/".length));
      const timestamp = Date.now();
      return state === undefined
        ? { body: { status: "UNKNOWN", timestamp } }
        : { body: { sms: { status: words[state] ?? "OTHER", timestamp } } };
    }
    return refusal(404, 41, "The resource does not exist");
  });

  return {
    ...carrier,
    texts,
    setCallback(where) {
      callback = where;
    },
    call,
    report,
    handOver: (where, fields) =>
      callWith(where, {
        moText: [
          {
            channel: "sms",
            messageId: randomBytes(16).toString("hex"),
            timestamp: Date.now(),
            charset: "UTF-8",
            sms: { network: "26201" },
            ...fields,
          },
        ],
      }),
  };
}

function problemWith({
  to,
  content,
}: Readonly<Record<string, unknown>>): FakeClickatellError | undefined {
  if (typeof content !== "string" || content === "") {
    return { code: 23, description: "Invalid or missing parameter: content" };
  }
  return typeof to === "string" && /^\d{7,15}$/.test(to)
    ? undefined
    : { code: 25, description: "Invalid recipient address" };
}

function messagesOf(text: string): Record<string, unknown>[] | undefined {
  try {
    const { messages } = JSON.parse(text);
    return Array.isArray(messages) && messages.length > 0
      ? messages
      : undefined;
  } catch {
    return undefined;
  }
}

function refusal(
  status: number,
  code: number,
  description: string,
): CarrierAnswer {
  return { status, body: { messages: [], error: { code, description } } };
}
