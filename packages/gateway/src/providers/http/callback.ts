/** What a carrier's calls say, as its page has it. */

import { checkBasicAuthorization } from "../../basic-auth.ts";
import { asObject } from "../../carrier-answer.ts";
import { equalsConstantTime } from "../../constant-time.ts";
import { parseForm, queryOf } from "../../form-reading.ts";
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
import type {
  PageAuthentication,
  PageCallback,
  PageCase,
  PageMoment,
  PagePath,
} from "./page.ts";
import { type LookUp, parseTemplate } from "./template.ts";
import {
  meets,
  namedValues,
  type Values,
  valuesOfForm,
  valuesOfJson,
} from "./values.ts";

/** What a call says, and how it is answered once that was handed on. */
export interface ReadCall {
  /** `undefined`: nothing that concerns us. */
  readonly said: MessageStatus | IncomingMessage | undefined;
  readonly reply: CallReply;
}

/** An answer of success. */
export interface CallReply {
  readonly type: string;
  readonly body: string;
}

/** A page's callback with its templates read. */
export interface CallReader {
  /** @throws ReceiverError for a call that is not the carrier's, or says nothing */
  read(request: ReceiverRequest, now: Date): Promise<ReadCall>;
}

/**
 * @param settings values of `settings.…`
 * @throws SyntaxError for a template that is none
 */
export function compileCallback(
  callback: PageCallback,
  settings: LookUp,
): CallReader {
  const checks = compileAuthentication(callback.authenticate, settings);
  const reply = compileReply(callback.reply);
  return {
    async read(request, now) {
      await checks.checkHeaders(request, now);
      const values = valuesOfCall(callback, request);
      checks.checkFields(values);
      const said = understand(callback, values, settings, now);
      return { said, reply: reply(values) };
    },
  };
}

interface Authentication {
  checkHeaders(request: ReceiverRequest, now: Date): Promise<void>;
  checkFields(values: Values): void;
}

function compileAuthentication(
  { basic, jwt, field }: PageAuthentication = {},
  settings: LookUp,
): Authentication {
  // Settings do not change while a provider lives.
  const fill = (template: string | undefined): string | undefined => {
    if (template === undefined) return undefined;
    const value = parseTemplate(template).render(settings);
    return value === undefined ? undefined : String(value);
  };
  const user = fill(basic?.user);
  const pass = fill(basic?.pass);
  const key = fill(jwt?.key);
  const secret = fill(field?.value);
  return {
    async checkHeaders({ headers }, now) {
      if (user !== undefined && pass !== undefined) {
        checkBasicAuthorization(headers.authorization, { user, pass });
      }
      if (jwt === undefined || key === undefined) return;
      const token = headers[jwt.header.toLowerCase()] ?? "";
      if (await isSignedJwt(token, key, now)) return;
      throw new ForbiddenRequestError("The signature is missing or wrong");
    },
    checkFields(values) {
      if (field === undefined || secret === undefined) return;
      if (equalsConstantTime(values(field.path) ?? "", secret)) return;
      throw new ForbiddenRequestError("The secret is missing or wrong");
    },
  };
}

function compileReply({
  type = "text/plain; charset=utf-8",
  body = "OK",
}: Partial<NonNullable<PageCallback["reply"]>> = {}): (
  values: Values,
) => CallReply {
  const template = parseTemplate(body);
  return (values) => {
    const text = template.render(
      (name) => values(name.slice(replyPrefix.length)) ?? "",
    );
    return { type, body: String(text ?? "") };
  };
}

/** Of the names in a reply: what follows is a field of the call. */
export const replyPrefix = "fields.";

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
  settings: LookUp,
  now: Date,
): MessageStatus | IncomingMessage | undefined {
  const conditions: Values = (path) =>
    path.startsWith("settings.") ? settings(path)?.toString() : values(path);
  const found = cases.find(
    ({ when = {}, has = [] }) =>
      meets(conditions, when) &&
      has.every((path) => values(path) !== undefined),
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
