/**
 * A carrier that speaks PSWinCom's simple HTTP interface, for tests: forms in
 * ISO-8859-1, or hexadecimal UTF-16 for what that lacks, and answers in text.
 */

import { randomBytes } from "node:crypto";
import { callWithForm } from "./calls.ts";
import {
  type CarrierFault,
  type FakeCarrier,
  startFakeCarrier,
} from "./fake-carrier.ts";

/** A text that was accepted. */
export interface FakePswinText {
  readonly reference: string;
  readonly text: string;
  /** As they were sent, escapes read as ISO-8859-1. */
  readonly fields: Readonly<Record<string, string>>;
}

export interface FakePswinOptions {
  readonly user: string;
  readonly password: string;
  /** Where it reports; absent: nowhere. */
  readonly statusUrl?: () => string;
  /** In place of an acceptance; `undefined`: it is accepted. */
  readonly answer?: (
    fields: Readonly<Record<string, string>>,
  ) => CarrierFault | undefined;
}

/** Stands in for `https://simple.pswin.com`. */
export interface FakePswin extends FakeCarrier {
  /** Oldest first. */
  readonly texts: readonly FakePswinText[];
  /** Answers the HTTP status of the answer. */
  report(url: string, reference: string, state: string): Promise<number>;
}

export async function startFakePswin({
  user,
  password,
  statusUrl,
  answer = () => undefined,
}: FakePswinOptions): Promise<FakePswin> {
  const texts: FakePswinText[] = [];
  const report = async (url: string, REF: string, STATE: string) => {
    const DELIVERYTIME = "2026.03.29 02:30:00";
    const fields = { REF, STATE, RCV: "4790000000", DELIVERYTIME };
    return (await callWithForm(url, fields, { method: "GET" })).status;
  };
  const carrier = await startFakeCarrier(async ({ body }) => {
    const fields = Object.fromEntries(
      body
        .toString("latin1")
        .split("&")
        .map((pair) => pair.split("=").map(unescapeLatin)),
    ) as Record<string, string>;
    const other = answer(fields);
    if (other) return other;
    if (fields.USER !== user || fields.PW !== password) {
      return { body: "1 Invalid username or password" };
    }
    if (!/^\d{7,15}$/.test(fields.RCV ?? "")) return { body: "2 Bad receiver" };
    const { CT, HEX = "", TXT = "", RCPREQ } = fields;
    const text =
      CT === "9" ? Buffer.from(HEX, "hex").swap16().toString("utf16le") : TXT;
    const reference = randomBytes(6).toString("hex").toUpperCase();
    texts.push({ reference, text, fields });
    if (RCPREQ !== "Y") return { body: "0\r\nOK" };
    if (statusUrl) await report(statusUrl(), reference, "DELIVRD");
    return { body: `0\r\nOK\r\n${reference}` };
  });
  return { ...carrier, texts, report };
}

function unescapeLatin(text: string): string {
  return unescape(text.replaceAll("+", " "));
}
