/**
 * What the SMS part of the configuration may hold, and what is wrong with it
 * in words. Values of providers may be secret: no sentence here shows one.
 */

import { inboundBindingKey, parseInboundBinding } from "@carillon/core";
import type { Static, TSchema } from "typebox";
import { Check } from "typebox/schema";
import { Type } from "./json-schema.ts";

const credentials = Type.Object(
  { user: Type.String({ minLength: 1 }), pass: Type.String({ minLength: 1 }) },
  { additionalProperties: false },
);

const httpUrl = Type.Refine(Type.String(), isHttpUrl);

/** What both ends of a forward pair may have. */
const peer = {
  /** Also the last part of its receiver's address. */
  name: Type.String({ pattern: "^[a-z0-9][a-z0-9_-]{0,31}$" }),
  /** What the other side must present to our receiver. */
  auth: Type.Optional(credentials),
  /** Signs every request, both ways; only between Carillon's gateways. */
  secret: Type.Optional(Type.String({ minLength: 1 })),
  timeoutMs: Type.Optional(Type.Integer({ minimum: 100, maximum: 60_000 })),
};

const ForwardClient = Type.Object(
  {
    type: Type.Literal("forward-client"),
    ...peer,
    /** Where the server's provider is mounted. */
    serverUrl: httpUrl,
    dedupe: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
  },
  { additionalProperties: false },
);

const ForwardServer = Type.Object(
  {
    type: Type.Literal("forward-server"),
    ...peer,
    /** Where the clients' providers are mounted. */
    clients: Type.Array(httpUrl, { uniqueItems: true }),
    /** Classes that clients may exempt from opt-outs as we do. */
    exemptClasses: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), { uniqueItems: true }),
    ),
  },
  { additionalProperties: false },
);

/** A provider by its name alone, or with its settings. */
export const ProviderSetting = Type.Union([
  Type.Literal("loopback"),
  Type.Literal("log"),
  Type.Literal("null"),
  ForwardClient,
  ForwardServer,
]);

export type ProviderSetting = Static<typeof ProviderSetting>;

const simpleNames = ["loopback", "log", "null"];

/** The sandbox's phones have this name among the providers. */
export const sandboxProviderName = "sandbox";

/** A clause that says what is wrong, `undefined` when nothing is. */
export function problemWithProviders(value: unknown): string | undefined {
  if (!Array.isArray(value)) {
    // Whatever it is: it may have a secret in it.
    return typeof value === "object"
      ? "expected a list of providers"
      : undefined;
  }
  const names = new Set<string>([sandboxProviderName]);
  for (const [at, setting] of value.entries()) {
    // The schema's own sentence fits.
    if (typeof setting !== "object" || setting === null) {
      if (!simpleNames.includes(setting)) return undefined;
      names.add(setting);
      continue;
    }
    const place = `entry ${at + 1}`;
    const problem = problemWithSettings(setting);
    if (problem) return `${place}: ${problem}`;
    const { name, type } = setting as { name: string; type: string };
    if (names.has(name) || simpleNames.includes(name)) {
      return `${place}: there is a provider called ${name} already, or the name is reserved: give it another`;
    }
    names.add(name);
    if (at === 0 && type === "forward-server") {
      return `${place}: the first provider is the one that sends, and a forward-server cannot: put another before it`;
    }
  }
  return undefined;
}

/** A clause that says what is wrong, `undefined` when nothing is. */
export function problemWithInbound(value: unknown): string | undefined {
  if (!Array.isArray(value)) return undefined;
  const keys = new Set<string>();
  for (const entry of value) {
    const binding =
      typeof entry === "string" ? parseInboundBinding(entry) : undefined;
    if (!binding) {
      return `expected number=topic or number/keyword=topic (* for any number, one word as keyword), got ${JSON.stringify(entry)}`;
    }
    const key = inboundBindingKey(binding);
    if (keys.has(key)) {
      return `expected one topic for ${key}, got several: keep one of them`;
    }
    keys.add(key);
  }
  return undefined;
}

function problemWithSettings(settings: object): string | undefined {
  const type = "type" in settings ? settings.type : undefined;
  const schema =
    type === "forward-client"
      ? ForwardClient
      : type === "forward-server"
        ? ForwardServer
        : undefined;
  if (!schema) return "expected a type: forward-client or forward-server";
  const known: readonly string[] = Object.keys(schema.properties);
  const unknown = Object.keys(settings).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    return `there is no such key as ${unknown}; there are ${known.join(", ")}`;
  }
  for (const name of known) {
    const given = (settings as Record<string, unknown>)[name];
    const expected = expectations[name] ?? "something else";
    if (given === undefined && optional.has(name)) continue;
    const part = (schema.properties as Record<string, TSchema>)[name];
    if (part && !Check(part, given)) {
      return `expected ${expected} as ${name}`;
    }
  }
  return undefined;
}

const optional: ReadonlySet<string> = new Set([
  "auth",
  "secret",
  "timeoutMs",
  "dedupe",
  "exemptClasses",
]);

const expectations: Readonly<Record<string, string>> = {
  name: "1 to 32 of a-z, 0-9, '-' and '_'",
  auth: 'an object of "user" and "pass"',
  secret: "a text",
  timeoutMs: "a whole number of milliseconds from 100 to 60000",
  serverUrl: "a URL that starts with http:// or https://",
  clients: "a list of URLs that start with http:// or https://",
  dedupe: "a whole number from 0 to 1000000",
  exemptClasses: "a list of classes such as otp",
};

function isHttpUrl(value: string): boolean {
  return /^https?:\/\//.test(value) && URL.canParse(value);
}
