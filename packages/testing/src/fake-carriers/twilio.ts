/**
 * A carrier that speaks Twilio's wire format over HTTP, for tests: the Messages
 * resource of API version 2010-04-01, its errors, and its signed calls. Nothing
 * of it is shared with the provider that is tested.
 */

import { createHmac, randomBytes } from "node:crypto";
import {
  type CarrierAnswer,
  type CarrierFault,
  type FakeCarrier,
  startFakeCarrier,
} from "./fake-carrier.ts";

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
   * accepted.
   */
  readonly answer?: (
    fields: Readonly<Record<string, string>>,
  ) => CarrierFault | undefined;
}

/** Stands in for `https://api.twilio.com`. */
export interface FakeTwilio extends FakeCarrier {
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
  const account = `/2010-04-01/Accounts/${accountSid}`;
  const messages = `${account}/Messages`;
  const balance = `${account}/Balance.json`;
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

  const carrier = await startFakeCarrier(
    async ({ method, path, ...request }) => {
      if (request.headers.authorization !== authorization) {
        return refusal(401, 20003, "Authenticate");
      }
      if (method === "GET" && path === balance) {
        return {
          body: { account_sid: accountSid, balance: "12.5", currency: "USD" },
        };
      }
      if (method === "GET") {
        const sid = path.slice(`${messages}/`.length, -".json".length);
        const status = states.get(sid);
        return status === undefined
          ? refusal(404, 20404, "The resource was not found")
          : { body: { sid, status } };
      }
      if (method !== "POST" || path !== `${messages}.json`) {
        return refusal(404, 20404, "The resource was not found");
      }
      const fields = Object.fromEntries(new URLSearchParams(request.text));
      const other = answer(fields);
      if (other) return other;
      const { To = "", From, MessagingServiceSid, Body = "" } = fields;
      if (!/^\+\d{7,15}$/.test(To)) {
        return refusal(400, 21211, `Invalid 'To' Phone Number: ${To}`);
      }
      if (From === undefined && MessagingServiceSid === undefined) {
        return refusal(400, 21603, "A 'From' phone number is required");
      }
      if (Body.length > 1600) {
        return refusal(400, 21617, "The body exceeds 1600 characters");
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
      return {
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
      };
    },
  );

  return {
    ...carrier,
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
  };
}

function refusal(status: number, code: number, message: string): CarrierAnswer {
  const more_info = `https://www.twilio.com/docs/errors/${code}`;
  return { status, body: { code, message, more_info, status } };
}
