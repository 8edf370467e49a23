/**
 * What an integration calls us with: events in JSON, or the flat report of
 * the older platform in JSON or as a form. A call is read as a whole before
 * any of it is handed on. Source: "One API: Callbacks".
 */

import { asObject, type JsonObject } from "../../carrier-answer.ts";
import { numericCode } from "../../carrier-code.ts";
import { charsetOf, decodeText } from "../../charset.ts";
import { parseForm } from "../../form-reading.ts";
import { IncomingMessage } from "../../incoming-message.ts";
import type { MessageStatus } from "../../message-status.ts";
import { MalformedRequestError, type ReceiverRequest } from "../../receiver.ts";
import { toStatus } from "./status.ts";

/** Texts from phones and reports, in the order of the call. */
export interface ClickatellEvents {
  readonly messages: readonly IncomingMessage[];
  readonly statuses: readonly MessageStatus[];
}

/**
 * @param now milliseconds since the epoch, for what bears no time
 * @throws MalformedRequestError
 */
export function readEvents(
  request: Pick<ReceiverRequest, "headers" | "rawBody">,
  now: number,
): ClickatellEvents {
  const call = readCall(request);
  const event = asObject(call.event);
  if (event) {
    // Others are taken and left: Clickatell would repeat them for ever.
    const { moText, messageStatusUpdate } = event;
    return {
      messages: listOf("moText", moText).map((it) => toMessage(it, now)),
      statuses: listOf("messageStatusUpdate", messageStatusUpdate).map((it) =>
        toReport(it, now),
      ),
    };
  }
  if (call.event === undefined && "statusCode" in call) {
    return { messages: [], statuses: [toReport(call, now)] };
  }
  throw new MalformedRequestError("An event or a statusCode is needed");
}

/** The time of an event in milliseconds; `now` where it bears none. */
export function toInstant(timestamp: unknown, now: number): Date {
  const isText = typeof timestamp === "string" && /^\d{1,16}$/.test(timestamp);
  const at = new Date(isText ? Number(timestamp) : Number.NaN);
  if (typeof timestamp === "number") at.setTime(timestamp);
  return Number.isNaN(at.getTime()) ? new Date(now) : at;
}

function readCall({
  headers,
  rawBody,
}: Pick<ReceiverRequest, "headers" | "rawBody">): JsonObject {
  const type = headers["content-type"];
  const text = decodeText(rawBody, charsetOf(type));
  if (/^application\/x-www-form-urlencoded\b/i.test(type ?? "")) {
    return Object.fromEntries(parseForm(text));
  }
  let call: JsonObject | undefined;
  try {
    call = asObject(JSON.parse(text));
  } catch {
    // It is answered like JSON of another form.
  }
  if (call) return call;
  throw new MalformedRequestError("An object of JSON is needed");
}

/** A single object may stand in place of the list. */
function listOf(name: string, value: unknown): readonly JsonObject[] {
  if (value == null) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((one) => {
    const found = asObject(one);
    if (found) return found;
    throw new MalformedRequestError(`${name} holds what is no object`);
  });
}

function toMessage(given: JsonObject, now: number): IncomingMessage {
  const { content, to, timestamp, sms } = given;
  if (typeof content !== "string") {
    throw new MalformedRequestError("content is needed");
  }
  return new IncomingMessage(required(given, "from"), content, {
    msgid: required(given, "messageId"),
    dst: textOf(to) ?? null,
    rtime: toInstant(timestamp, now),
    meta: {
      ...metaOf(given, [
        "channel",
        "charset",
        "relatedMessageId",
        "relatedClientMessageId",
      ]),
      ...metaOf(asObject(sms) ?? {}, ["network"]),
    },
  });
}

function toReport(given: JsonObject, now: number): MessageStatus {
  const code = numericCode(given.statusCode);
  const word = textOf(given.status);
  if (code === undefined && word === undefined) {
    throw new MalformedRequestError("statusCode is needed");
  }
  return toStatus(required(given, "messageId"), {
    code,
    word,
    rtime: toInstant(given.timestamp, now),
    meta: metaOf(given, [
      "channel",
      "clientMessageId",
      "requestId",
      "statusDescription",
      "to",
      "from",
    ]),
  });
}

function metaOf(
  given: JsonObject,
  names: readonly string[],
): Record<string, unknown> {
  const kept = names.filter(
    (name) => given[name] != null && given[name] !== "",
  );
  return Object.fromEntries(kept.map((name) => [name, given[name]]));
}

function required(given: JsonObject, name: string): string {
  const value = textOf(given[name]);
  if (value !== undefined) return value;
  throw new MalformedRequestError(`${name} is needed`);
}

/** Numbers come as text or as a number. */
function textOf(value: unknown): string | undefined {
  if (Number.isSafeInteger(value)) return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}
