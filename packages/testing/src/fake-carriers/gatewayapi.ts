/**
 * A carrier that speaks GatewayAPI's REST interface, for tests: JSON, errors
 * with placeholders, and calls that bear a JSON Web Token.
 */

import { createHmac } from "node:crypto";
import { callWithJson } from "./calls.ts";
import {
  type CarrierAnswer,
  type CarrierFault,
  type FakeCarrier,
  startFakeCarrier,
} from "./fake-carrier.ts";

/** What was sent. */
export interface FakeGatewayapiRequest {
  readonly message: string;
  readonly recipients: readonly { readonly msisdn: number }[];
  readonly [other: string]: unknown;
}

export interface FakeGatewayapiOptions {
  readonly token: string;
  readonly secret: string;
  /** Where it reports; absent: nowhere. */
  readonly callbackUrl?: () => string;
  /** In place of an acceptance; `undefined`: it is accepted. */
  readonly answer?: (
    request: FakeGatewayapiRequest,
  ) => CarrierFault | undefined;
}

/** Stands in for `https://gatewayapi.com`. */
export interface FakeGatewayapi extends FakeCarrier {
  /** Oldest first. */
  readonly texts: readonly FakeGatewayapiRequest[];
  /** Answers the HTTP status of the answer. */
  report(url: string, id: number | string, status: string): Promise<number>;
  /** Calls with anything, by a token that this secret signs. */
  call(url: string, body: object, secret?: string): Promise<number>;
}

export async function startFakeGatewayapi({
  token,
  secret,
  callbackUrl,
  answer = () => undefined,
}: FakeGatewayapiOptions): Promise<FakeGatewayapi> {
  const texts: FakeGatewayapiRequest[] = [];
  let lastId = 420_000_000;
  const call: FakeGatewayapi["call"] = async (url, body, key = secret) => {
    const headers = { "x-gwapi-signature": tokenOf(body, key) };
    return (await callWithJson(url, body, headers)).status;
  };
  const report: FakeGatewayapi["report"] = (url, id, status) =>
    call(url, { id, msisdn: 4510000000, time: 1450000000, status });
  const carrier = await startFakeCarrier(async ({ path, headers, text }) => {
    if (headers.authorization !== `Token ${token}`) {
      return refusal(401, "0x0101", "Unauthorized");
    }
    if (path !== "/rest/mtsms") return refusal(404, "0x0102", "Not found");
    const request: FakeGatewayapiRequest = JSON.parse(text);
    const other = answer(request);
    if (other) return other;
    const [recipient] = request.recipients;
    if (!Number.isInteger(recipient?.msisdn)) {
      return refusal(422, "0x0213", "Invalid msisdn: %1", [recipient?.msisdn]);
    }
    const id = ++lastId;
    texts.push(request);
    if (callbackUrl) await report(callbackUrl(), id, "DELIVERED");
    const usage = { countries: { DE: 1 }, currency: "EUR", total_cost: 0.06 };
    return { body: { ids: [id], usage } };
  });
  return { ...carrier, texts, report, call };
}

function refusal(
  status: number,
  code: string,
  message: string,
  variables: readonly unknown[] = [],
): CarrierAnswer {
  return { status, body: { code, message, variables } };
}

function tokenOf(payload: object, secret: string): string {
  const parts = [{ alg: "HS256", typ: "JWT" }, payload].map((part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url"),
  );
  const mac = createHmac("sha256", secret).update(parts.join("."));
  return [...parts, mac.digest("base64url")].join(".");
}
