/**
 * A carrier that speaks the messaging interface of Africa's Talking, for
 * tests: forms in, JSON out, and calls with forms.
 */

import { randomBytes } from "node:crypto";
import { callWithForm } from "./calls.ts";
import {
  type CarrierFault,
  type FakeCarrier,
  startFakeCarrier,
} from "./fake-carrier.ts";

/** What was sent. */
export type FakeAfricastalkingText = Readonly<Record<string, string>>;

export interface FakeAfricastalkingOptions {
  readonly username: string;
  readonly apiKey: string;
  /** Where it reports; absent: nowhere. */
  readonly statusUrl?: () => string;
  /** In place of an acceptance; `undefined`: it is accepted. */
  readonly answer?: (text: FakeAfricastalkingText) => CarrierFault | undefined;
}

/** Stands in for `https://api.africastalking.com`. */
export interface FakeAfricastalking extends FakeCarrier {
  /** Oldest first. */
  readonly texts: readonly FakeAfricastalkingText[];
  /** Calls with a form; answers the HTTP status. */
  call(url: string, fields: Readonly<Record<string, string>>): Promise<number>;
}

export async function startFakeAfricastalking({
  username,
  apiKey,
  statusUrl,
  answer = () => undefined,
}: FakeAfricastalkingOptions): Promise<FakeAfricastalking> {
  const texts: FakeAfricastalkingText[] = [];
  const call: FakeAfricastalking["call"] = async (url, fields) =>
    (await callWithForm(url, fields)).status;
  const carrier = await startFakeCarrier(async ({ path, headers, text }) => {
    const fields = Object.fromEntries(new URLSearchParams(text));
    if (headers.apikey !== apiKey || fields.username !== username) {
      return { status: 401, body: "The supplied authentication is invalid" };
    }
    if (path !== "/version1/messaging") return { status: 404 };
    const other = answer(fields);
    if (other) return other;
    const messageId = `ATXid_${randomBytes(12).toString("hex")}`;
    texts.push(fields);
    if (statusUrl) {
      await call(statusUrl(), { id: messageId, status: "Success" });
    }
    return recipient(fields.to ?? "", 101, "Success", messageId);
  });
  return { ...carrier, texts, call };
}

/** An answer about one recipient. */
export function recipient(
  number: string,
  statusCode: number,
  status: string,
  messageId = "None",
): CarrierFault {
  const cost = "KES 0.8000";
  return {
    status: 201,
    body: {
      SMSMessageData: {
        Message: "Sent to 1/1 Total Cost: KES 0.8000",
        Recipients: [{ statusCode, number, status, cost, messageId }],
      },
    },
  };
}
