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
import { moduleType } from "./backends/module-type.ts";
import { nearest } from "./config-spelling.ts";
import { Type } from "./json-schema.ts";
import { unreadFile } from "./provider-entries.ts";

/** Also the last part of its receiver's address. */
const name = Type.String({ pattern: "^[a-z0-9][a-z0-9_-]{0,31}$" });

/** Of the gateway, and those in modules of the operator's. */
const allTypes: readonly ProviderType[] = [...providerTypes, moduleType];

const byType = new Map(allTypes.map((it) => [it.type, it]));

/** Those that have no settings are named by their type. */
const simpleNames = namesOf(({ schema }) => schema === undefined);

/** A provider by its type alone, or with its settings. */
export const ProviderSetting = Type.Union([
  Type.Enum(simpleNames),
  Type.Refine(
    Type.Object({ type: Type.String(), name }),
    (settings) => problemsWithSettings(settings).length === 0,
  ),
]);

export type ProviderSetting = Static<typeof ProviderSetting>;

/**
 * Type of an entry for what a program brings that embeds the service; it has a
 * name and nothing else.
 */
export const codeProviderType = "code";

/** Providers of the program that embeds the service, by their names. */
export type CodeProviders = ReadonlyMap<string, Provider>;

/** What providers are made with. */
export interface ProviderPorts extends ProviderTypePorts {
  /** Default: none. */
  readonly codeProviders?: CodeProviders | undefined;
}

/** Makes a configured provider. @throws ConfigurationError */
export function createProvider(
  setting: ProviderSetting,
  { codeProviders, ...ports }: ProviderPorts,
): Provider {
  const settings = typeof setting === "string" ? { type: setting } : setting;
  const own =
    settings.type === codeProviderType
      ? codeProviders?.get(nameOf(setting))
      : undefined;
  if (own) return own;
  const found = byType.get(settings.type);
  if (found) return found.create(settings, ports);
  throw new Error(`There is no type of provider called ${settings.type}.`);
}

function namesOf(isOne: (type: ProviderType) => boolean): string[] {
  return allTypes.filter(isOne).map(({ type }) => type);
}

/** The sandbox's phones have this name among the providers. */
export const sandboxProviderName = "sandbox";

/** The name that a provider is sent through by. */
export function nameOf(setting: ProviderSetting): string {
  return typeof setting === "string" ? setting : setting.name;
}

/** Names of those that texts can be sent through, in their order. */
export function sendingProviders({
  sandbox,
  sms,
}: {
  readonly sandbox: boolean;
  readonly sms: { readonly providers: readonly ProviderSetting[] };
}): readonly string[] {
  const names = sms.providers
    .filter(
      (it) => typeof it === "string" || byType.get(it.type)?.canSend !== false,
    )
    .map(nameOf);
  return sandbox ? [sandboxProviderName, ...names] : names;
}

/** A clause for each thing that is wrong. */
export function problemsWithProviders(value: unknown): readonly string[] {
  if (!Array.isArray(value)) {
    // Whatever it is: it may have a secret in it.
    return typeof value === "object" ? ["expected a list of providers"] : [];
  }
  const names = new Set<string>([sandboxProviderName]);
  return value.flatMap((setting: unknown, at) =>
    problemsWithEntry(setting, at, names).map(
      (problem) => `entry ${at + 1}: ${problem}`,
    ),
  );
}

/** @param names those that are taken; this entry's is added */
function problemsWithEntry(
  setting: unknown,
  at: number,
  names: Set<string>,
): readonly string[] {
  if (typeof setting !== "object" || setting === null) {
    return problemsWithName(setting, names);
  }
  const problems = [...problemsWithSettings(setting)];
  const { name, type } = setting as Readonly<Record<string, unknown>>;
  if (isProviderName(name)) {
    if (names.has(name) || simpleNames.includes(name)) {
      problems.push(
        `there is a provider called ${name} already, or the name is reserved: give it another`,
      );
    }
    names.add(name);
  }
  if (at === 0 && byType.get(String(type))?.canSend === false) {
    problems.push(
      `the first provider is the one that sends, and a ${type} cannot: put another before it`,
    );
  }
  return problems;
}

function problemsWithName(
  name: unknown,
  names: Set<string>,
): readonly string[] {
  if (typeof name === "string" && simpleNames.includes(name)) {
    names.add(name);
    return [];
  }
  if (typeof name === "string" && byType.has(name)) {
    return [
      `${name} needs settings: write {"type": "${name}", "name": "…", …} in its place`,
    ];
  }
  const meant = typeof name === "string" ? nearest(name, simpleNames) : "";
  return [
    `expected a list of ${simpleNames.join(", ")}, or of objects with type and name${meant ? `; did you mean ${meant}?` : ""}`,
  ];
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

function problemsWithSettings(settings: object): readonly string[] {
  // Whatever it is; each setting is looked at before it is used.
  const given = settings as Readonly<Record<string, unknown>>;
  const type = String(given.type);
  const { schema, problems } =
    type === codeProviderType ? codeType : (byType.get(type) ?? {});
  if (!schema) {
    const known = namesOf((it) => it.schema !== undefined);
    const meant = nearest(type, known);
    return [
      `expected a type: ${alternatives.format(known)}; ${simpleNames.join(", ")} have no settings, and stand in the list by name alone${meant ? `; did you mean ${meant}?` : ""}`,
    ];
  }
  const fields = { name: nameField, ...schema };
  const who = isProviderName(given.name) ? `${type} ${given.name}` : type;
  const known = ["type", ...Object.keys(fields)];
  const unknown = Object.keys(given)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const meant = nearest(key, known);
      const hint = meant ? `did you mean ${meant}?` : "";
      return `${who}: there is no such key as ${key}; ${hint || `there are ${known.join(", ")}`}`;
    });
  const together = (problems?.(given) ?? []).filter(({ setting }) => {
    const value = valueAt(given, setting);
    return !hasUnread(value) && findMixedFile(value, setting) === undefined;
  });
  const wrong = Object.entries<ProviderField>(fields).flatMap(
    ([key, field]) => {
      const value = given[key];
      if (value === undefined && field.isOptional) return [];
      if (hasUnread(value)) return [];
      const isRight =
        Check(field.schema, value) && (field.check?.(value) ?? true);
      if (isRight) return field.problems?.(value) ?? [];
      // What is said of a part of it is more precise.
      const isSaid = together.some((it) => it.setting.startsWith(`${key}.`));
      const mixed = findMixedFile(value, key, field.schema.type === "object");
      if (mixed !== undefined) {
        return [`expected {"file": path} with nothing beside it as ${mixed}`];
      }
      return isSaid ? [] : [`expected ${field.expected} as ${key}`];
    },
  );
  return [
    ...unknown,
    ...[...wrong, ...together.map((it) => it.problem)].map(
      (problem) => `${who}: ${problem}`,
    ),
  ];
}

/** @param place such as `settings.key` */
function valueAt(settings: object, place: string): unknown {
  return place
    .split(".")
    .reduce<unknown>((inner, name) => Object(inner)[name], settings);
}

/** Whether a file that is a mistake already should have said a part of it. */
function hasUnread(value: unknown): boolean {
  if (value === unreadFile) return true;
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some(hasUnread);
}

/** Place of an object that would be read from a file, were it that alone. */
function findMixedFile(
  value: unknown,
  place: string,
  isObjectItself = false,
): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (!isObjectItself && "file" in value) return place;
  for (const [name, member] of Object.entries(value)) {
    const found = findMixedFile(member, `${place}.${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether a provider may have that name. */
export function isProviderName(value: unknown): value is string {
  return Check(name, value);
}

const codeType: Pick<ProviderType, "schema" | "problems"> = { schema: {} };

const nameField: ProviderField = {
  schema: { ...name },
  expected: "1 to 32 of a-z, 0-9, '-' and '_'",
};
