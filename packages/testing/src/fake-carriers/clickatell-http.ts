/**
 * A carrier that speaks the wire format of Clickatell's older HTTP API, for
 * tests: forms, answers in a line of text, and its calls in a charset of
 * choice. Nothing of it is shared with the provider that is tested.
 */

import { randomBytes } from "node:crypto";
import {
  type CarrierAnswer,
  type FakeCarrier,
  startFakeCarrier,
} from "./fake-carrier.ts";

/** A text that was accepted. */
export interface FakeClickatellHttpText {
  readonly id: string;
  /** As a phone would show it. */
  readonly text: string;
  /** As they were sent: `to`, `text`, `from`, … */
  readonly fields: Readonly<Record<string, string>>;
}

export interface FakeClickatellHttpOptions {
  readonly apiId: string;
  readonly user: string;
  readonly password: string;
  /** What is answered to a text in place of an id, such as `ERR: 105, …`. */
  readonly answer?: (
    fields: Readonly<Record<string, string>>,
  ) => string | "silence" | undefined;
}

/** How a call is made. */
export interface FakeClickatellHttpCall {
  /** Default `POST`. */
  readonly method?: "GET" | "POST";
  /** Of the field `text`. Default `UTF-16BE`. */
  readonly charset?: "ISO-8859-1" | "UTF-8" | "UTF-16BE";
}

/** Stands in for `https://api.clickatell.com`. */
export interface FakeClickatellHttp extends FakeCarrier {
  /** Oldest first. */
  readonly texts: readonly FakeClickatellHttpText[];
  /** From here on, texts that ask for it are reported there: 3, then 4. */
  setCallback(url: string): void;
  /** Calls with fields as they are; answers the HTTP status and the answer. */
  call(
    url: string,
    fields: Readonly<Record<string, string | Uint8Array>>,
    method?: "GET" | "POST",
  ): Promise<{ readonly status: number; readonly body: string }>;
  /** Calls with a status; answers the HTTP status of the answer. */
  report(
    url: string,
    msgid: string,
    status: number | string,
    more?: Readonly<Record<string, string>>,
  ): Promise<number>;
  /** Calls with a text from a phone; answers the HTTP status. */
  handOver(
    url: string,
    fields: Readonly<Record<string, string>>,
    how?: FakeClickatellHttpCall,
  ): Promise<number>;
}

const extension = /[\f^{}\\[~\]|€]/g;

/** Starts on a free port of this machine. */
export async function startFakeClickatellHttp({
  apiId,
  user,
  password,
  answer = () => undefined,
}: FakeClickatellHttpOptions): Promise<FakeClickatellHttp> {
  const texts: FakeClickatellHttpText[] = [];
  let callback: string | undefined;

  const call: FakeClickatellHttp["call"] = async (
    url,
    fields,
    method = "POST",
  ) => {
    const form = Object.entries(fields)
      .map(([name, value]) => `${name}=${escaped(value)}`)
      .join("&");
    const response = await (method === "GET"
      ? fetch(`${url}?${form}`)
      : fetch(url, {
          method,
          headers: { "content-type": "application/x-www-form-urlencoded" },
          body: form,
        }));
    return { status: response.status, body: await response.text() };
  };

  const report: FakeClickatellHttp["report"] = async (
    url,
    msgid,
    status,
    more = {},
  ) => {
    const answered = await call(url, {
      api_id: apiId,
      moMsgId: msgid,
      from: "12027530410",
      to: "491510000000",
      status: String(status).padStart(3, "0"),
      charge: "0.300000",
      ...more,
    });
    return answered.status;
  };

  async function take(fields: Record<string, string>): Promise<string> {
    const other = answer(fields);
    if (other !== undefined) return other;
    const { to = "", deliv_ack, callback: wanted } = fields;
    const text = textOf(fields);
    if (!/^\d{7,15}$/.test(to)) return "ERR: 105, Invalid Destination Address";
    if (text === undefined) return "ERR: 116, Invalid Unicode Data";
    if (text === "") return "ERR: 107, Empty message";
    if (Number(fields.concat ?? 1) < partsOf(text, fields)) {
      return "ERR: 113, Maximum message parts exceeded";
    }
    const id = randomBytes(16).toString("hex");
    texts.push({ id, text, fields });
    // Before the answer, as it may happen.
    if (callback && deliv_ack === "1" && wanted === "3") {
      await report(callback, id, 3, { to });
      await report(callback, id, 4, { to });
    }
    return `ID: ${id}`;
  }

  const carrier = await startFakeCarrier(async ({ method, path, text }) => {
    const fields = Object.fromEntries(new URLSearchParams(text));
    if (method !== "POST") return { status: 405 };
    if (fields.user !== user || fields.password !== password) {
      return line("ERR: 001, Authentication failed");
    }
    if (fields.api_id !== apiId) {
      return line("ERR: 108, Invalid or missing api_id");
    }
    if (path === "/http/getbalance") return line("Credit: 120.350");
    if (path !== "/http/sendmsg") return { status: 404 };
    const taken = await take(fields);
    return taken === "silence" ? taken : line(taken);
  });

  return {
    ...carrier,
    texts,
    setCallback(url) {
      callback = url;
    },
    call,
    report,
    async handOver(url, { text = "", ...fields }, how = {}) {
      const { charset = "UTF-16BE", method = "POST" } = how;
      const answered = await call(
        url,
        {
          api_id: apiId,
          moMsgId: randomBytes(16).toString("hex"),
          timestamp: "2008-08-06 09:43:50",
          charset,
          udh: "",
          ...fields,
          text: encoded(text, charset),
        },
        method,
      );
      return answered.status;
    },
  };
}

/** `undefined`: it says Unicode and is none. */
function textOf(fields: Readonly<Record<string, string>>): string | undefined {
  const { text = "", unicode } = fields;
  if (unicode !== "1") return text;
  if (!/^(?:[0-9a-f]{4})+$/i.test(text)) return undefined;
  return Buffer.from(text, "hex").swap16().toString("utf16le");
}

function partsOf(
  text: string,
  { unicode }: Readonly<Record<string, string>>,
): number {
  const isUnicode = unicode === "1";
  const [single, part] = isUnicode ? [70, 67] : [160, 153];
  const escapes = isUnicode ? 0 : (text.match(extension)?.length ?? 0);
  const units = text.length + escapes;
  return units <= single ? 1 : Math.ceil(units / part);
}

function encoded(
  text: string,
  charset: FakeClickatellHttpCall["charset"],
): Uint8Array {
  if (charset === "UTF-16BE") return Buffer.from(text, "utf16le").swap16();
  return Buffer.from(text, charset === "UTF-8" ? "utf8" : "latin1");
}

/** Octets of any charset, each that is no letter or digit as `%XX`. */
function escaped(value: string | Uint8Array): string {
  return [...Buffer.from(value)]
    .map((octet) => {
      const character = String.fromCharCode(octet);
      if (/[0-9A-Za-z]/.test(character)) return character;
      if (character === " ") return "+";
      return `%${octet.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");
}

function line(text: string): CarrierAnswer {
  return { headers: { "content-type": "text/html" }, body: `${text}\n` };
}
