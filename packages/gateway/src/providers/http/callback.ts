/** What a carrier's calls say, as its page has it. */

import { checkBasicAuthorization } from "../../basic-auth.ts";
import { asObject } from "../../carrier-answer.ts";
import { equalsConstantTime } from "../../constant-time.ts";
import { parseForm, queryOf } from "../../form-encoding.ts";
import { IncomingMessage } from "../../incoming-message.ts";
import {
  MessageAccepted,
  MessageDelivered,
  MessageError,
  MessageExpired,
  MessageStatus,
} from "../../message-status.ts";
import {
  ForbiddenRequestError,
  MalformedRequestError,
  type ReceiverRequest,
} from "../../receiver.ts";
import { isSignedJwt } from "./jwt.ts";
import type { PageCallback, PageCase, PageMoment, PagePath } from "./page.ts";
import { type LookUp, parseTemplate } from "./template.ts";
import {
  meets,
  namedValues,
  type Values,
  valuesOfForm,
  valuesOfJson,
} from "./values.ts";

/** What a call came with, and what it says. */
export interface ReadCall {
  readonly values: Values;
  /** `undefined`: nothing that concerns us. */
  readonly said: MessageStatus | IncomingMessage | undefined;
}

/**
 * @param settings values of `settings.…`
 * @throws ReceiverError for one that is not the carrier's, or cannot be read
 */
export async function readCall(
  callback: PageCallback,
  request: ReceiverRequest,
  settings: LookUp,
  now: Date,
): Promise<ReadCall> {
  const { authenticate: { basic, jwt, field } = {} } = callback;
  const { headers } = request;
  const user = basic && textOf(basic.user, settings);
  const pass = basic && textOf(basic.pass, settings);
  if (user !== undefined && pass !== undefined) {
    checkBasicAuthorization(headers.authorization, { user, pass });
  }
  const key = jwt && textOf(jwt.key, settings);
  if (jwt && key !== undefined) {
    const token = headers[jwt.header.toLowerCase()] ?? "";
    if (!(await isSignedJwt(token, key, now))) {
      throw new ForbiddenRequestError("The signature is missing or wrong");
    }
  }
  const values = valuesOfCall(callback, request);
  const secret = field && textOf(field.value, settings);
  if (field && secret !== undefined) {
    if (!equalsConstantTime(values(field.path) ?? "", secret)) {
      throw new ForbiddenRequestError("The secret is missing or wrong");
    }
  }
  return { values, said: understand(callback, values, now) };
}

function textOf(template: string, lookUp: LookUp): string | undefined {
  const value = parseTemplate(template).render(lookUp);
  return value === undefined ? undefined : String(value);
}

function valuesOfCall(
  { format, charset }: PageCallback,
  { rawBody, url }: ReceiverRequest,
): Values {
  if (format === "json") {
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(rawBody);
      const object = asObject(JSON.parse(text));
      if (object) return valuesOfJson(object);
    } catch {
      // Told below.
    }
    throw new MalformedRequestError("A JSON object is needed");
  }
  // Escapes are ASCII, whatever charset they stand for.
  const body = new TextDecoder("latin1").decode(rawBody);
  const query = queryOf(url);
  return valuesOfForm(parseForm(`${query}&${body}`, charset));
}

function understand(
  { cases }: PageCallback,
  values: Values,
  now: Date,
): MessageStatus | IncomingMessage | undefined {
  const found = cases.find(
    ({ when = {}, has = [] }) =>
      meets(values, when) && has.every((path) => values(path) !== undefined),
  );
  if (!found) throw new MalformedRequestError("It says nothing that is known");
  if (found.status) return toStatus(found.status, values, now);
  if (found.message) return toMessage(found.message, values, now);
  return undefined;
}

type StatusCase = NonNullable<PageCase["status"]>;
type MessageCase = NonNullable<PageCase["message"]>;

function toStatus(page: StatusCase, values: Values, now: Date) {
  const id = required(values, page.id);
  const word = required(values, page.state);
  const wanted = word.toLowerCase();
  const state =
    Object.entries(page.states).find(
      ([it]) => it.toLowerCase() === wanted,
    )?.[1] ??
    page.otherwise ??
    "unknown";
  const texts = (page.text ?? []).flatMap((path) => values(path) || []);
  const init = {
    status: texts.length > 0 ? texts.join(": ") : word,
    statusCode: (page.code && values(page.code)) || word,
    rtime: momentOf(page.at, values) ?? now,
    meta: namedValues(values, page.meta),
  };
  switch (state) {
    case "accepted":
      return new MessageAccepted(id, init);
    case "delivered":
      return new MessageDelivered(id, init);
    case "expired":
      return new MessageExpired(id, init);
    case "failed":
      return new MessageError(id, init);
    case "unknown":
      return new MessageStatus(id, init);
    case "ignored":
      return undefined;
    default:
      return state satisfies never;
  }
}

function toMessage(page: MessageCase, values: Values, now: Date) {
  const paths = typeof page.text === "string" ? [page.text] : page.text;
  const texts = paths.map((path) => values(path));
  // The last is the text itself; those before it may be absent.
  if (texts.at(-1) === undefined) {
    throw new MalformedRequestError(`${paths.at(-1)} is needed`);
  }
  return new IncomingMessage(
    required(values, page.from),
    texts.filter(Boolean).join(" "),
    {
      msgid: (page.id && values(page.id)) || null,
      dst: (page.to && values(page.to)) || null,
      rtime: momentOf(page.at, values) ?? now,
      meta: namedValues(values, page.meta),
    },
  );
}

function momentOf(
  moment: PageMoment | undefined,
  values: Values,
): Date | undefined {
  const value = Number((moment && values(moment.path)) || Number.NaN);
  const date = new Date(moment?.unit === "s" ? value * 1000 : value);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function required(values: Values, path: PagePath): string {
  const value = values(path);
  if (value !== undefined && value !== "") return value;
  throw new MalformedRequestError(`${path} is needed`);
}
