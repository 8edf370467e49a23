/** Reads the events of mails that a service posts in our own format. */

import { mailEventKinds, parseDeliveryId } from "@carillon/core";
import type { MailReference, ReceivedReport } from "./mail-intake.ts";
import { parseMessageId } from "./mail-key.ts";
import { type ReportedEvent, reportText } from "./reported-event.ts";

/** Of one request. */
export const maxEvents = 1000;

/** What is wrong with a body, and where. */
export class EventBodyError extends Error {
  override readonly name = "EventBodyError";
}

/** @throws EventBodyError; then none of them counts */
export function readEventBody(text: string): readonly ReceivedReport[] {
  const body = parseJson(text);
  if (!isObject(body) || !Array.isArray(body.events)) {
    throw new EventBodyError("A JSON object with a list `events` is expected.");
  }
  const { events } = body;
  if (events.length === 0 || events.length > maxEvents) {
    throw new EventBodyError(
      `events: 1 to ${maxEvents} are expected, got ${events.length}.`,
    );
  }
  return events.map((event, n) => readEvent(event, `events[${n}]`));
}

function readEvent(value: unknown, where: string): ReceivedReport {
  if (!isObject(value)) throw wrong(where, "an object");
  const text = (name: string, max = 1000): string | undefined => {
    const given = value[name];
    if (given === undefined || given === null) return undefined;
    if (typeof given === "string" && given.length <= max) return given;
    throw wrong(`${where}.${name}`, `a text of at most ${max} characters`);
  };
  const event = mailEventKinds.find((kind) => kind === value.event);
  if (event === undefined) {
    throw wrong(`${where}.event`, `one of ${mailEventKinds.join(", ")}`);
  }
  const hard = value.hard ?? undefined;
  if (hard !== undefined && typeof hard !== "boolean") {
    throw wrong(`${where}.hard`, "true or false");
  }
  const at = readTime(value.at, `${where}.at`);
  const code = reportText(text("code", 100));
  const diagnostic = reportText(text("diagnostic", 10_000));
  const recipient = reportText(text("recipient", 320));
  const said: ReportedEvent = {
    event,
    ...(event === "bounced" && hard !== undefined && { hard }),
    recipients: recipient === undefined ? [] : [recipient],
    ...(code !== undefined && { code }),
    ...(diagnostic !== undefined && { diagnostic }),
    ...(at !== undefined && { at }),
  };
  const mail = readMail(
    {
      messageId: text("messageId"),
      deliveryId: text("deliveryId"),
      externalId: text("externalId", 200),
    },
    where,
  );
  return {
    mail,
    events: [said],
    raw: JSON.stringify(value),
    id: text("id", 200),
  };
}

function readMail(
  given: Readonly<
    Record<"messageId" | "deliveryId" | "externalId", string | undefined>
  >,
  where: string,
): MailReference {
  const { messageId, deliveryId, externalId } = given;
  const names = [messageId, deliveryId, externalId].filter(
    (it) => it !== undefined,
  );
  if (names.length !== 1) {
    throw new EventBodyError(
      `${where}: one of messageId, deliveryId and externalId is expected, got ${names.length}.`,
    );
  }
  if (deliveryId !== undefined) {
    const found = parseDeliveryId(deliveryId);
    if (!found) throw wrong(`${where}.deliveryId`, "the id of a delivery");
    return { messageId: found.message, target: found.target };
  }
  const name = messageId ?? externalId ?? "";
  // Whose mail it is not is found out by looking for it.
  const own = parseMessageId(name);
  return messageId !== undefined && own ? own : { externalId: name };
}

/** A text, or milliseconds; seconds would be taken for a time long ago. */
function readTime(value: unknown, where: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  const at = typeof value === "string" ? Date.parse(value) : value;
  if (typeof at === "number" && Number.isFinite(at) && at >= 0) return at;
  throw wrong(where, "a time such as 2026-01-31T12:00:00Z, or milliseconds");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new EventBodyError("The body is no JSON.");
  }
}

function wrong(where: string, expected: string): EventBodyError {
  return new EventBodyError(`${where}: ${expected} is expected.`);
}

export function isObject(
  value: unknown,
): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
