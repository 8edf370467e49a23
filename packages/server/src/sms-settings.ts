/**
 * What the SMS part of the configuration may hold, and what is wrong with it
 * in words. Values of providers may be secret: no sentence here shows one.
 */

import {
  CarillonError,
  inboundBindingKey,
  parseInboundBinding,
} from "@carillon/core";
import {
  type Provider,
  type ProviderField,
  type ProviderType,
  type ProviderTypePorts,
  providerTypes,
} from "@carillon/gateway";
import type { Static } from "typebox";
import { Check } from "typebox/schema";
import { Type } from "./json-schema.ts";

/** Also the last part of its receiver's address. */
const name = Type.String({ pattern: "^[a-z0-9][a-z0-9_-]{0,31}$" });

const byType = new Map(providerTypes.map((it) => [it.type, it]));

/** Those that have no settings are named by their type. */
const simpleNames = namesOf(({ schema }) => schema === undefined);

/** A provider by its type alone, or with its settings. */
export const ProviderSetting = Type.Union([
  Type.Enum(simpleNames),
  Type.Refine(
    Type.Object({ type: Type.String(), name }),
    (settings) => problemWithSettings(settings) === undefined,
  ),
]);

export type ProviderSetting = Static<typeof ProviderSetting>;

/** Makes a configured provider. @throws ConfigurationError */
export function createProvider(
  setting: ProviderSetting,
  ports: ProviderTypePorts,
): Provider {
  const settings = typeof setting === "string" ? { type: setting } : setting;
  const found = byType.get(settings.type);
  if (found) return found.create(settings, ports);
  throw new Error(`There is no type of provider called ${settings.type}.`);
}

function namesOf(isOne: (type: ProviderType) => boolean): string[] {
  return providerTypes.filter(isOne).map(({ type }) => type);
}

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
    if (at === 0 && byType.get(type)?.canSend === false) {
      return `${place}: the first provider is the one that sends, and a ${type} cannot: put another before it`;
    }
  }
  return undefined;
}

/** A clause that says what is wrong, `undefined` when nothing is. */
export function problemWithInbound(value: unknown): string | undefined {
  if (!Array.isArray(value)) return undefined;
  const keys = new Set<string>();
  for (const entry of value) {
    let binding: ReturnType<typeof parseInboundBinding>;
    try {
      binding =
        typeof entry === "string" ? parseInboundBinding(entry) : undefined;
    } catch (error) {
      if (!(error instanceof CarillonError)) throw error;
      return `expected a topic of your own, got ${JSON.stringify(entry)}: ${error.message.replace(/\.$/, "")}`;
    }
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

/** `a, b or c`. */
const alternatives = new Intl.ListFormat("en-GB", { type: "disjunction" });

function problemWithSettings(settings: object): string | undefined {
  // Whatever it is; each setting is looked at before it is used.
  const given = settings as Readonly<Record<string, unknown>>;
  const type = String(given.type);
  const { schema } = byType.get(type) ?? {};
  if (!schema) {
    const types = alternatives.format(namesOf((it) => it.schema !== undefined));
    return `expected a type: ${types}; ${simpleNames.join(", ")} have no settings, and stand in the list by name alone`;
  }
  const fields = { name: nameField, ...schema };
  const who = Check(name, given.name) ? `${type} ${given.name}` : type;
  const known = ["type", ...Object.keys(fields)];
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    return `${who}: there is no such key as ${unknown}; there are ${known.join(", ")}`;
  }
  for (const [key, field] of Object.entries<ProviderField>(fields)) {
    const value = given[key];
    if (value === undefined && field.isOptional) continue;
    const isRight =
      Check(field.schema, value) && (field.check?.(value) ?? true);
    if (!isRight) return `${who}: expected ${field.expected} as ${key}`;
    const problem = field.problem?.(value);
    if (problem !== undefined) return `${who}: ${problem}`;
  }
  return undefined;
}

const nameField: ProviderField = {
  schema: { ...name },
  expected: "1 to 32 of a-z, 0-9, '-' and '_'",
};
