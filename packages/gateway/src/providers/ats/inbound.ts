/**
 * Texts from phones as ATS hands them over: several in one document, each of
 * which is answered by a code of its own, always with HTTP 200.
 */

import { IncomingMessage } from "../../incoming-message.ts";
import type { ReceiverRequest, ReceiverResponse } from "../../receiver.ts";
import { escapeXml, parseXml, type XmlElement } from "../../xml.ts";
import { parsePragueTime } from "./prague-time.ts";

/** What ATS is told of a text. */
export type IntakeCode = "taken" | "refused";

/** 24: ATS hands it over again. */
const codes = { taken: 23, refused: 24 } as const;

/** What is wrong with a whole document, by the codes that ATS itself uses. */
const documentCodes = { missing: 701, unreadable: 702, invalid: 705 } as const;

/** The texts of a request, or the answer to one that has none to be found. */
export function readTexts({
  rawBody,
  headers,
}: ReceiverRequest): readonly XmlElement[] | ReceiverResponse {
  if (rawBody.byteLength === 0) return answerDocument("missing");
  let root: XmlElement;
  try {
    root = parseXml(rawBody, headers["content-type"]);
  } catch {
    return answerDocument("unreadable");
  }
  if (root.name !== "messages") return answerDocument("invalid");
  return root.children.filter(({ name }) => name === "sms");
}

/**
 * `undefined` for one without id, sender or recipient, with a time that is none,
 * or with elements in it that are not understood. The text itself may be empty.
 */
export function toIncoming(
  element: XmlElement,
  now: number,
): IncomingMessage | undefined {
  const { attributes } = element;
  const text = textIn(element);
  const msgid = idOf(attributes);
  const sender = attributes.get("sender")?.trim();
  const recipient = attributes.get("recipient")?.trim();
  const ts = attributes.get("ts");
  const rtime = ts === undefined ? new Date(now) : parsePragueTime(ts, now);
  if (!msgid || !sender || !recipient || !rtime || text === undefined) {
    return undefined;
  }
  const meta: Record<string, unknown> = {};
  for (const name of ["okey", "opid", "opmid"]) {
    const value = attributes.get(name);
    if (value !== undefined && value !== "") meta[name] = value;
  }
  const init = { msgid, dst: recipient, rtime, meta };
  return new IncomingMessage(sender, text, init);
}

/**
 * What stands directly in a `sms`, or in a `body` that is all it has, as in texts
 * to ATS. `undefined`: the text is somewhere else, and would be lost.
 */
function textIn({ text, children }: XmlElement): string | undefined {
  const [body, ...others] = children;
  if (body === undefined) return text;
  const isBody = body.name === "body" && body.children.length === 0;
  return isBody && others.length === 0 && text.trim() === ""
    ? body.text
    : undefined;
}

/** The id of a text, to answer by; empty where it has none. */
export function idOf(attributes: XmlElement["attributes"]): string {
  return attributes.get("uniq")?.trim() ?? "";
}

/**
 * The answer to a request, in the order of its texts.
 *
 * @param error why some were refused though nothing was wrong with them
 */
export function answerTexts(
  answers: Iterable<readonly [id: string, code: IntakeCode]>,
  error?: unknown,
): ReceiverResponse {
  const elements = Array.from(
    answers,
    ([id, code]) => `<code uniq="${escapeXml(id)}">${codes[code]}</code>`,
  );
  return { ...answerWith(elements.join("")), ...(error != null && { error }) };
}

function answerDocument(problem: keyof typeof documentCodes): ReceiverResponse {
  return answerWith(`<code>${documentCodes[problem]}</code>`);
}

function answerWith(elements: string): ReceiverResponse {
  return {
    status: 200,
    headers: { "content-type": "text/xml; charset=utf-8" },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<status>${elements}</status>`,
  };
}
