/**
 * A carrier that speaks Vianett's HTTP interface, for tests: forms in
 * ISO-8859-1, answers in XML, and calls by GET.
 */

import { randomBytes } from "node:crypto";
import { type CallAnswer, callWithForm } from "./calls.ts";
import {
  type CarrierFault,
  type FakeCarrier,
  startFakeCarrier,
} from "./fake-carrier.ts";

/** A text that was accepted. */
export interface FakeVianettText {
  readonly refno: string;
  /** As they were sent, escapes read as ISO-8859-1. */
  readonly fields: Readonly<Record<string, string>>;
}

export interface FakeVianettOptions {
  readonly username: string;
  readonly password: string;
  /** Where it reports; absent: nowhere. */
  readonly statusUrl?: () => string;
  /** In place of an acceptance; `undefined`: it is accepted. */
  readonly answer?: (
    fields: Readonly<Record<string, string>>,
  ) => CarrierFault | undefined;
}

/** Stands in for `https://smsc.vianett.no`. */
export interface FakeVianett extends FakeCarrier {
  /** Oldest first. */
  readonly texts: readonly FakeVianettText[];
  report(url: string, refno: string, state: string): Promise<CallAnswer>;
  call(
    url: string,
    fields: Readonly<Record<string, string>>,
  ): Promise<CallAnswer>;
}

export async function startFakeVianett({
  username,
  password,
  statusUrl,
  answer = () => undefined,
}: FakeVianettOptions): Promise<FakeVianett> {
  const texts: FakeVianettText[] = [];
  const call: FakeVianett["call"] = (url, fields) =>
    callWithForm(url, fields, { method: "GET" });
  const report: FakeVianett["report"] = (url, refno, Status) =>
    call(url, {
      requesttype: "notificationstatus",
      refno,
      Status,
      StatusCode: "1",
      StatusDescription: "As the operator says",
    });
  const carrier = await startFakeCarrier(async ({ method, path, body }) => {
    if (method !== "POST" || path !== "/V3/CPA/MT/MT.ashx") {
      return { status: 404 };
    }
    const fields = Object.fromEntries(
      body
        .toString("latin1")
        .split("&")
        .map((pair) => pair.split("=").map(unescapeLatin)),
    ) as Record<string, string>;
    const other = answer(fields);
    if (other) return other;
    if (fields.username !== username || fields.password !== password) {
      return ack("", 106, "Wrong username or password");
    }
    if (!/^\d{7,15}$/.test(fields.tel ?? "")) return ack("", 113, "Bad number");
    const refno = randomBytes(6).toString("hex");
    texts.push({ refno, fields });
    if (statusUrl) await report(statusUrl(), refno, "DELIVRD");
    return ack(refno, 200, "OK");
  });
  return { ...carrier, texts, report, call };
}

function ack(refno: string, code: number, words: string): CarrierFault {
  return {
    headers: { "content-type": "text/xml" },
    body: `<?xml version="1.0"?><ack refno="${refno}" errorcode="${code}">${words}</ack>`,
  };
}

function unescapeLatin(text: string): string {
  return unescape(text.replaceAll("+", " "));
}
