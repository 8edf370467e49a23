/**
 * A carrier that speaks Telerivet's REST interface, for tests: JSON in, forms
 * with a secret out.
 */

import { randomBytes } from "node:crypto";
import { callWithForm } from "./calls.ts";
import {
  type CarrierFault,
  type FakeCarrier,
  startFakeCarrier,
} from "./fake-carrier.ts";

/** What was sent. */
export type FakeTelerivetRequest = Readonly<Record<string, unknown>>;

export interface FakeTelerivetOptions {
  readonly apiKey: string;
  readonly projectId: string;
  /** In place of an acceptance; `undefined`: it is accepted. */
  readonly answer?: (request: FakeTelerivetRequest) => CarrierFault | undefined;
}

/** Stands in for `https://api.telerivet.com`. */
export interface FakeTelerivet extends FakeCarrier {
  /** Oldest first. */
  readonly texts: readonly FakeTelerivetRequest[];
  /** Calls with a form; answers the HTTP status. */
  call(url: string, fields: Readonly<Record<string, string>>): Promise<number>;
}

export async function startFakeTelerivet({
  apiKey,
  projectId,
  answer = () => undefined,
}: FakeTelerivetOptions): Promise<FakeTelerivet> {
  const texts: FakeTelerivetRequest[] = [];
  const expected = `Basic ${Buffer.from(`${apiKey}:`).toString("base64")}`;
  const call: FakeTelerivet["call"] = async (url, fields) =>
    (await callWithForm(url, fields)).status;
  const carrier = await startFakeCarrier(async ({ path, headers, text }) => {
    if (headers.authorization !== expected) {
      return refusal(401, "unauthorized", "Invalid API key");
    }
    if (path !== `/v1/projects/${projectId}/messages/send`) {
      return refusal(404, "not_found", "No such project");
    }
    const request: FakeTelerivetRequest = JSON.parse(text);
    const other = answer(request);
    if (other) return other;
    const id = `SM${randomBytes(8).toString("hex")}`;
    texts.push(request);
    const { status_url: url, status_secret: secret } = request;
    if (typeof url === "string") {
      await call(url, {
        event: "send_status",
        id,
        status: "delivered",
        secret: String(secret),
      });
    }
    return { body: { id, status: "queued", to_number: request.to_number } };
  });
  return { ...carrier, texts, call };
}

function refusal(status: number, code: string, message: string): CarrierFault {
  return { status, body: { error: { code, message } } };
}
