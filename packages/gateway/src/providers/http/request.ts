/** The request that a page makes of a text. */

import { basicAuthorization } from "../../basic-auth.ts";
import { analyze } from "../../encoding/analyze.ts";
import { UnsupportedError } from "../../errors.ts";
import { encodeForm, fitsCharset } from "../../form-encoding.ts";
import type { HttpRequest } from "../../http.ts";
import type { OutgoingMessage } from "../../outgoing-message.ts";
import { rawParams } from "../../raw-params.ts";
import type { CarrierPage, JsonTemplate, PageRequest } from "./page.ts";
import { type LookUp, parseTemplate, type TemplateValue } from "./template.ts";

/** Values of a text, besides `settings.…`; the guide explains each. */
export const requestNames = [
  "to",
  "text",
  "from",
  "senderKind",
  "id",
  "encoding",
  "segments",
  "narrowText",
  "wideText",
  "statusReport",
  "allowReply",
  "escalate",
  "expires",
  "class",
  "callbackUrl",
  "statusUrl",
] as const;

type RequestName = (typeof requestNames)[number];

/** A page's request with its templates read. */
export interface RequestTemplate {
  /** Whether the carrier is told the text's own id. */
  readonly tellsId: boolean;
  /** @param values of `settings.…`, `id` and `callbackUrl` */
  write(message: OutgoingMessage, baseUrl: string, values: LookUp): HttpRequest;
}

/** Throws `SyntaxError` for a template that is none. */
export function compileRequest(page: CarrierPage): RequestTemplate {
  const { send } = page;
  const { method = "POST", charset = "utf-8" } = send;
  const path = parseTemplate(send.path);
  const query = compileFields(send.query);
  const headers = compileFields(send.headers);
  const authorize = compileBasic(send);
  const writeBody = compileBody(send);
  const fixed = fixedParams(send);
  return {
    tellsId: namesIn({ ...send, refusedParams: [] }).includes("id"),
    write(message, baseUrl, values) {
      const lookUp = valuesOfMessage(message, values, charset);
      const lookup: LookUp = (name) => {
        const value = lookUp(name);
        if (name === "text" && !fitsCharset(String(value), charset)) {
          throw new UnsupportedError(
            `${page.title} takes texts in ${charset} only`,
            { code: "CHARSET" },
          );
        }
        return value;
      };
      const params = rawParams(message, fixed);
      const inQuery = method === "GET" && send.query !== undefined;
      const pairs = query(lookup, inQuery ? params : []);
      const search = pairs.length > 0 ? `?${encodeForm(pairs, charset)}` : "";
      const { type, body } = writeBody(lookup, params);
      return {
        method,
        url: `${baseUrl}${path.render(lookup) ?? ""}${search}`,
        headers: {
          ...(type !== undefined && { "content-type": type }),
          ...authorize(lookup),
          ...Object.fromEntries(headers(lookup, [])),
        },
        ...(body !== undefined && { body }),
      };
    },
  };
}

function compileBasic({
  basic,
}: PageRequest): (lookUp: LookUp) => Readonly<Record<string, string>> {
  if (!basic) return () => ({});
  const user = parseTemplate(basic.user);
  const pass = parseTemplate(basic.pass);
  return (lookUp) => ({
    authorization: basicAuthorization({
      user: String(user.render(lookUp) ?? ""),
      pass: String(pass.render(lookUp) ?? ""),
    }),
  });
}

interface WrittenBody {
  readonly type?: string;
  readonly body?: string;
}

type WriteBody = (
  lookUp: LookUp,
  params: readonly (readonly [string, unknown])[],
) => WrittenBody;

function compileBody({ form, json, body, charset }: PageRequest): WriteBody {
  if (form) {
    const fields = compileFields(form);
    return (lookUp, params) => ({
      type: "application/x-www-form-urlencoded",
      body: encodeForm(fields(lookUp, params), charset),
    });
  }
  if (json !== undefined) {
    const members = compileJson(json);
    return (lookUp, params) => ({
      type: "application/json",
      body: JSON.stringify(withParams(members(lookUp), params)),
    });
  }
  if (body !== undefined) {
    const template = parseTemplate(body);
    return (lookUp) => ({ body: String(template.render(lookUp) ?? "") });
  }
  return () => ({});
}

type WriteFields = (
  lookUp: LookUp,
  params: readonly (readonly [string, unknown])[],
) => readonly (readonly [string, string])[];

/** Parameters replace fields. */
function compileFields(
  fields: Readonly<Record<string, string>> = {},
): WriteFields {
  const templates = Object.entries(fields).map(
    ([name, text]) => [name, parseTemplate(text)] as const,
  );
  return (lookUp, params) => {
    const replaced = new Set(params.map(([name]) => name));
    const own = templates.flatMap(([name, template]) => {
      const value = replaced.has(name) ? undefined : template.render(lookUp);
      return value === undefined ? [] : [[name, String(value)] as const];
    });
    const more = params.flatMap(([name, value]) =>
      (Array.isArray(value) ? value : [value]).flatMap((one) =>
        one == null ? [] : [[name, String(one)] as const],
      ),
    );
    return [...own, ...more];
  };
}

type WriteJson = (lookUp: LookUp) => unknown;

function compileJson(json: JsonTemplate): WriteJson {
  if (typeof json === "string") {
    const template = parseTemplate(json);
    return (lookUp) => template.render(lookUp);
  }
  if (typeof json !== "object" || json === null) return () => json;
  if (Array.isArray(json)) {
    const entries = json.map(compileJson);
    return (lookUp) =>
      entries.map((it) => it(lookUp)).filter((it) => it !== undefined);
  }
  const members = Object.entries(json).map(
    ([name, value]) => [name, compileJson(value)] as const,
  );
  // JSON leaves out members that are undefined.
  return (lookUp) =>
    Object.fromEntries(members.map(([name, it]) => [name, it(lookUp)]));
}

function withParams(
  written: unknown,
  params: readonly (readonly [string, unknown])[],
): unknown {
  if (typeof written !== "object" || written === null) return written;
  if (Array.isArray(written)) return written;
  return { ...written, ...Object.fromEntries(params) };
}

/**
 * The names of fields that say whom and what, whose account it is, which id the
 * text has or where the carrier reports: no text may give others.
 */
function fixedParams({
  query = {},
  form = {},
  json = {},
  refusedParams = [],
}: PageRequest): readonly string[] {
  const isObject = typeof json === "object" && !Array.isArray(json);
  const fields: readonly (readonly [string, JsonTemplate])[] = [
    ...Object.entries(query),
    ...Object.entries(form),
    ...(isObject ? Object.entries(json ?? {}) : []),
  ];
  const fixed = fields.filter(([, it]) => namesIn(it).some(isFixedName));
  return [...fixed.map(([name]) => name), ...refusedParams];
}

/** All names of values within JSON. */
export function namesIn(json: JsonTemplate): readonly string[] {
  if (typeof json === "string") return parseTemplate(json).names;
  if (typeof json !== "object" || json === null) return [];
  return Object.values(json).flatMap(namesIn);
}

function isFixedName(name: string): boolean {
  return fixedNames.has(name) || name.startsWith("settings.");
}

const fixedNames: ReadonlySet<string> = new Set([
  "to",
  "text",
  "narrowText",
  "wideText",
  "id",
  "statusUrl",
  "callbackUrl",
]);

function valuesOfMessage(
  message: OutgoingMessage,
  values: LookUp,
  charset: "utf-8" | "iso-8859-1",
): LookUp {
  const { dst, body, src, providerOptions } = message;
  const from = providerOptions.senderId ?? src ?? undefined;
  const sender = from ?? values("settings.from");
  const fits = fitsCharset(body, charset);
  const own: Readonly<
    Record<Exclude<RequestName, "id" | "callbackUrl">, () => Value>
  > = {
    to: () => dst,
    text: () => body,
    from: () => sender,
    senderKind: () => sender && kindOfSender(String(sender)),
    encoding: () => analyze(body).encoding,
    segments: () => analyze(body).segments,
    narrowText: () => (fits ? body : undefined),
    wideText: () => (fits ? undefined : body),
    statusReport: () => providerOptions.statusReport,
    allowReply: () => providerOptions.allowReply,
    escalate: () => providerOptions.escalate,
    expires: () => providerOptions.expires ?? undefined,
    class: () => providerOptions.messageClass ?? undefined,
    statusUrl: () =>
      providerOptions.statusReport ? values("callbackUrl") : undefined,
  };
  return (name) =>
    Object.hasOwn(own, name) ? own[name as keyof typeof own]() : values(name);
}

type Value = TemplateValue | undefined;

function kindOfSender(sender: string): "name" | "shortcode" | "number" {
  if (!/^\+?\d+$/.test(sender)) return "name";
  return sender.length <= 6 ? "shortcode" : "number";
}
