/**
 * Messages and statuses on the wire: names of classes and fields, and what
 * each peer may leave out. Nothing outside these tables is ever built.
 */

import { IncomingMessage } from "../../incoming-message.ts";
import {
  MessageAccepted,
  MessageDelivered,
  MessageError,
  MessageExpired,
  MessageStatus,
} from "../../message-status.ts";
import { type OtherOptions, OutgoingMessage } from "../../outgoing-message.ts";
import {
  formatDateTime,
  isRecord,
  JsonExDate,
  JsonExError,
  JsonExTime,
  parseDateTime,
  WireFields,
} from "./wire-values.ts";

// Subclasses before their parents: the first match is the nearest.
const STATUSES = [
  ["MessageDelivered", MessageDelivered],
  ["MessageExpired", MessageExpired],
  ["MessageAccepted", MessageAccepted],
  ["MessageError", MessageError],
  ["MessageStatus", MessageStatus],
] as const;

const OPTION_NAMES: ReadonlyMap<string, string> = new Map([
  ["allow_reply", "allowReply"],
  ["status_report", "statusReport"],
]);

// Peers may number their messages; an echo must not turn that into text.
const numericIds = new WeakMap<object, number>();

/** Class name and content, or undefined for what is no wire object. */
export function objectToWire(
  value: object,
): [name: string, content: unknown] | undefined {
  if (value instanceof Date) return ["datetime", formatDateTime(value)];
  if (value instanceof JsonExDate) return ["date", value.value];
  if (value instanceof JsonExTime) return ["time", value.value];
  if (value instanceof OutgoingMessage) return outgoingToWire(value);
  if (value instanceof WireOptions) {
    return ["OutgoingMessageOptions", value.fields];
  }
  if (value instanceof IncomingMessage) {
    const { msgid, src, body, dst, rtime, meta, provider, ...rest } = value;
    const { keyword: _keyword, entry: _entry, ...extra } = rest;
    const id = idToWire(value, msgid);
    const fields = { msgid: id, src, body, dst, rtime, meta, provider };
    return ["IncomingMessage", { ...extra, ...fields }];
  }
  const status = STATUSES.find(([, type]) => value instanceof type);
  return status && value instanceof MessageStatus
    ? [status[0], statusFields(value)]
    : undefined;
}

/** Undefined for a class that is not known. Throws `JsonExError`. */
export function objectFromWire(name: string, content: unknown): unknown {
  switch (name) {
    case "datetime":
      return parseDateTime(content);
    case "date":
      return new JsonExDate(String(content));
    case "time":
      return new JsonExTime(String(content));
    case "OutgoingMessage":
      return outgoingFromWire(new WireFields(name, content));
    case "OutgoingMessageOptions":
      return new WireOptions(new WireFields(name, content));
    case "IncomingMessage":
      return incomingFromWire(new WireFields(name, content));
    default: {
      const status = STATUSES.find(([wireName]) => wireName === name);
      if (status === undefined) return undefined;
      return statusFromWire(status[1], new WireFields(name, content));
    }
  }
}

/**
 * A status of whatever class: peers also send classes of their own carriers,
 * which arrive as plain data. Their flags, if any, give the nearest class.
 */
export function toStatus(value: unknown): MessageStatus | undefined {
  if (value instanceof MessageStatus) return value;
  if (!isRecord(value) || !Array.isArray(value["?"])) return undefined;
  const [name, content] = value["?"];
  if (typeof name !== "string" || !isRecord(content)) return undefined;
  const Status = content.error
    ? MessageError
    : content.expired
      ? MessageExpired
      : content.delivered
        ? MessageDelivered
        : content.accepted
          ? MessageAccepted
          : MessageStatus;
  return statusFromWire(Status, new WireFields(name, content));
}

/** Copies every field and extra attribute of a message onto another. */
export function copyMessage(from: OutgoingMessage, to: OutgoingMessage): void {
  const {
    sentAt: _sentAt,
    choice: _choice,
    optOutRule: _optOutRule,
    ...fields
  } = from;
  Object.assign(to, fields);
  to.options({}, from.explicitOptions());
}

// The options as they stand on the wire: only those set on purpose.
class WireOptions {
  readonly fields: Record<string, unknown> = {};

  constructor(source: WireFields | OtherOptions) {
    if (source instanceof WireFields) {
      for (const name of source.names) this.fields[name] = source.get(name);
      return;
    }
    for (const [name, value] of Object.entries(source)) {
      const wireName = [...OPTION_NAMES].find(([, own]) => own === name)?.[0];
      this.fields[wireName ?? name] = value;
    }
  }

  /** Throws `JsonExError` for a value that is not of the option's type. */
  toOptions(): OtherOptions {
    const options: Record<string, unknown> = {};
    for (const [wireName, value] of Object.entries(this.fields)) {
      const name = OPTION_NAMES.get(wireName) ?? wireName;
      options[name] = optionFromWire(name, value, this.fields);
    }
    return options;
  }
}

// Peers without types write numbers for names, and 1 for true.
function optionFromWire(
  name: string,
  value: unknown,
  fields: Readonly<Record<string, unknown>>,
): unknown {
  switch (name) {
    case "allowReply":
    case "statusReport":
    case "escalate":
      return Boolean(value);
    case "senderId":
    case "messageClass":
      return new WireFields("OutgoingMessageOptions", fields).textOrNull(name);
    case "expires":
      if (value === null || typeof value === "number") return value;
      throw new JsonExError(
        'OutgoingMessageOptions needs a number in "expires"',
      );
    default:
      return value;
  }
}

function outgoingToWire(message: OutgoingMessage): [string, object] {
  const {
    src,
    dst,
    body,
    provider,
    providerOptions: _providerOptions,
    providerParams: provider_params,
    routingValues: routing_values,
    msgid,
    meta,
    sentAt: _sentAt,
    choice: _choice,
    optOutRule: _optOutRule,
    simulated,
    ...extra
  } = message;
  const provider_options = new WireOptions(message.explicitOptions());
  return [
    "OutgoingMessage",
    {
      ...extra,
      src,
      dst,
      body,
      provider,
      provider_options,
      provider_params,
      routing_values,
      ...(msgid === null ? {} : { msgid: idToWire(message, msgid) }),
      ...(meta === null ? {} : { meta }),
      // An attribute that peers of other makes carry along without a meaning.
      ...(simulated && { simulated }),
    },
  ];
}

function outgoingFromWire(fields: WireFields): OutgoingMessage {
  const message: OutgoingMessage = new OutgoingMessage(
    fields.address("dst"),
    fields.text("body"),
    fields.addressOrNull("src"),
    fields.textOrNull("provider"),
  );
  const options = fields.get("provider_options");
  if (options instanceof WireOptions) {
    message.options({}, options.toOptions());
  } else {
    const plain = fields.recordOrNull("provider_options") ?? {};
    const wire = new WireFields("OutgoingMessageOptions", plain);
    message.options({}, new WireOptions(wire).toOptions());
  }
  message.params(fields.recordOrNull("provider_params") ?? {});
  message.routingValues = fields.listOrNull("routing_values");
  message.meta = fields.recordOrNull("meta");
  message.msgid = idFromWire(message, fields);
  message.simulated = fields.get("simulated") === true;
  copyExtra(fields, message, [
    "provider_options",
    "provider_params",
    "routing_values",
  ]);
  return message;
}

function incomingFromWire(fields: WireFields): IncomingMessage {
  const message = new IncomingMessage(
    fields.addressOrNull("src") ?? "",
    fields.text("body"),
    {
      dst: fields.addressOrNull("dst"),
      rtime: fields.time("rtime"),
      meta: fields.recordOrNull("meta") ?? {},
    },
  );
  message.msgid = idFromWire(message, fields);
  message.provider = fields.textOrNull("provider");
  copyExtra(fields, message, []);
  return message;
}

function statusFields(status: MessageStatus): object {
  const { msgid, rtime, meta, provider, statusCode, status: text } = status;
  return {
    msgid: idToWire(status, msgid),
    rtime,
    meta,
    ...(statusCode === null ? {} : { status_code: statusCode }),
    ...(text === null ? {} : { status: text }),
    provider,
  };
}

function statusFromWire(
  Status: typeof MessageStatus,
  fields: WireFields,
): MessageStatus {
  const status = new Status(fields.text("msgid"), {
    rtime: fields.time("rtime"),
    meta: fields.recordOrNull("meta") ?? {},
    provider: fields.textOrNull("provider"),
    statusCode: fields.get("status_code") ?? null,
    status: fields.textOrNull("status"),
  });
  status.msgid = idFromWire(status, fields) ?? "";
  return status;
}

// Attributes that peers add to their messages come along, unless they would
// hide something of ours or stand for a function that could not be sent.
function copyExtra(
  fields: WireFields,
  target: object,
  handled: readonly string[],
): void {
  for (const name of fields.names) {
    if (name in target || handled.includes(name)) continue;
    const value = fields.get(name);
    if (isRecord(value) && Array.isArray(value["?"])) continue;
    Object.defineProperty(target, name, {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
}

function idToWire(owner: object, id: string | null): string | number | null {
  const numeric = numericIds.get(owner);
  return numeric !== undefined && String(numeric) === id ? numeric : id;
}

function idFromWire(owner: object, fields: WireFields): string | null {
  const id = fields.get("msgid");
  if (typeof id === "number") numericIds.set(owner, id);
  return fields.textOrNull("msgid");
}
