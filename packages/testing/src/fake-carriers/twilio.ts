/**
 * A carrier that speaks Twilio's wire format over HTTP, for tests: the Messages
 * resource of API version 2010-04-01, its errors, and its signed calls. Nothing
 * of it is shared with the provider that is tested.
 */

import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** A text that was accepted. */
export interface FakeTwilioText {
  readonly sid: string;
  /** As they were sent: `To`, `From`, `Body`, … */
  readonly fields: Readonly<Record<string, string>>;
}

export interface FakeTwilioOptions {
  readonly accountSid: string;
  readonly authToken: string;
  /**
   * What is answered to a text in place of an acceptance; `undefined`: it is
   * accepted; "silence": nothing is.
   */
  readonly answer?: (
    fields: Readonly<Record<string, string>>,
  ) => FakeTwilioAnswer | "silence" | undefined;
}

export interface FakeTwilioAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text goes out as it is, anything else as JSON. */
  readonly body: unknown;
}

export interface FakeTwilio extends AsyncDisposable {
  /** What is configured in place of `https://api.twilio.com`. */
  readonly baseUrl: string;
  /** Oldest first. */
  readonly texts: readonly FakeTwilioText[];
  /** Calls a status callback, signed; answers the HTTP status of the answer. */
  report(
    url: string,
    sid: string,
    status: string,
    more?: Readonly<Record<string, string>>,
  ): Promise<number>;
  /** Calls with a text from a phone, signed; answers the HTTP status. */
  handOver(
    url: string,
    fields: Readonly<Record<string, string>>,
  ): Promise<number>;
}

/** Starts on a free port of this machine. */
export async function startFakeTwilio({
  accountSid,
  authToken,
  answer = () => undefined,
}: FakeTwilioOptions): Promise<FakeTwilio> {
  const texts: FakeTwilioText[] = [];
  const states = new Map<string, string>();
  const messages = `/2010-04-01/Accounts/${accountSid}/Messages`;
  const password = Buffer.from(`${accountSid}:${authToken}`);
  const authorization = `Basic ${password.toString("base64")}`;

  async function call(url: string, fields: Record<string, string>) {
    const signed = Object.keys(fields)
      .sort()
      .map((name) => name + fields[name])
      .join("");
    const mac = createHmac("sha1", authToken).update(url + signed);
    const response = await fetch(url, {
      method: "POST",
      headers: { "x-twilio-signature": mac.digest("base64") },
      body: new URLSearchParams(fields),
    });
    await response.arrayBuffer();
    return response.status;
  }

  const report: FakeTwilio["report"] = (url, sid, status, more = {}) => {
    states.set(sid, status);
    return call(url, {
      AccountSid: accountSid,
      ApiVersion: "2010-04-01",
      MessageSid: sid,
      SmsSid: sid,
      MessageStatus: status,
      SmsStatus: status,
      ...more,
    });
  };

  const server = createServer(async (request, response) => {
    const form = new URLSearchParams(await text(request));
    const path = request.url ?? "";
    if (request.headers.authorization !== authorization) {
      return refuse(response, 401, 20003, "Authenticate");
    }
    if (request.method === "GET") {
      const sid = path.slice(`${messages}/`.length, -".json".length);
      const status = states.get(sid);
      if (status === undefined) {
        return refuse(response, 404, 20404, "The resource was not found");
      }
      return reply(response, { status: 200, body: { sid, status } });
    }
    if (request.method !== "POST" || path !== `${messages}.json`) {
      return refuse(response, 404, 20404, "The resource was not found");
    }
    const fields = Object.fromEntries(form);
    const other = answer(fields);
    if (other === "silence") return;
    if (other) return reply(response, other);
    const { To = "", From, MessagingServiceSid, Body = "" } = fields;
    if (!/^\+\d{7,15}$/.test(To)) {
      return refuse(response, 400, 21211, `Invalid 'To' Phone Number: ${To}`);
    }
    if (From === undefined && MessagingServiceSid === undefined) {
      return refuse(response, 400, 21603, "A 'From' phone number is required");
    }
    if (Body.length > 1600) {
      return refuse(response, 400, 21617, "The body exceeds 1600 characters");
    }
    const sid = `SM${randomBytes(16).toString("hex")}`;
    texts.push({ sid, fields });
    states.set(sid, "queued");
    // Before the answer, as it may happen.
    const { StatusCallback } = fields;
    if (StatusCallback) {
      await report(StatusCallback, sid, "sent", { To });
      await report(StatusCallback, sid, "delivered", { To });
    }
    return reply(response, {
      status: 201,
      body: {
        sid,
        account_sid: accountSid,
        status: "queued",
        num_segments: "1",
        error_code: null,
        error_message: null,
        price: null,
        price_unit: "USD",
        date_created: new Date().toUTCString(),
        uri: `${messages}/${sid}.json`,
      },
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  return {
    baseUrl: `http://127.0.0.1:${port}`,
    texts,
    report,
    handOver: (url, fields) =>
      call(url, {
        AccountSid: accountSid,
        ApiVersion: "2010-04-01",
        NumMedia: "0",
        NumSegments: "1",
        ...fields,
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function refuse(
  response: ServerResponse,
  status: number,
  code: number,
  message: string,
): void {
  const more_info = `https://www.twilio.com/docs/errors/${code}`;
  reply(response, { status, body: { code, message, more_info, status } });
}

function reply(
  response: ServerResponse,
  { status, headers = {}, body }: FakeTwilioAnswer,
): void {
  response.writeHead(status, {
    "content-type": "application/json",
    ...headers,
  });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}
