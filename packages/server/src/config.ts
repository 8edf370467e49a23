/**
 * Configuration: a flag goes over the environment, that over the file, that
 * over the default. It is parsed at start and at each reload, and frozen; all
 * mistakes are reported at once.
 */

import { dirname, resolve } from "node:path";
import { Check } from "typebox/schema";
import { ConfigError, type ConfigMistake } from "./config-error.ts";
import { readConfigFile } from "./config-file.ts";
import {
  type ConfigKey,
  type ConfigValues,
  listConfigKeys,
} from "./config-schema.ts";
import { shownValue, withoutUserInfo } from "./config-settings.ts";
import { nearest } from "./config-spelling.ts";
import { findMisspeltVariables, isServiceLink } from "./config-variables.ts";
import { findEmailMistakes } from "./email-channel.ts";
import { readProviderEntries } from "./provider-entries.ts";
import { findPolicyMistakes } from "./sms-policy.ts";
import { problemWithRouteProviders } from "./sms-route.ts";
import { problemWithRouter } from "./sms-router.ts";
import { codeProviderType, sendingProviders } from "./sms-settings.ts";

/** What the server runs with. Every default is filled in. */
export type Config = Frozen<ConfigValues>;

type Frozen<Value> = { readonly [Key in keyof Value]: Frozen<Value[Key]> };

/**
 * Where values come from: flags go over the environment, that over the file, and
 * that over what a program says.
 */
export interface ConfigSources {
  /** An object as the file has it, from a program; what is `undefined` is unset. */
  readonly settings?: object;
  /** Names of the providers that the program brings itself, for `code` entries. */
  readonly codeProviders?: readonly string[];
  /**
   * Values by flag name in camel case (`port`, `allowTargets`,
   * `smsProviders`), as text from a command line or as what they are; `config`
   * names the file.
   */
  readonly flags?: Readonly<Record<string, unknown>>;
  /** Usually `process.env`. Empty variables count as unset. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Path of the file, where neither `--config` nor `CARILLON_CONFIG` says. */
  readonly file?: string;
}

/** What `sandbox` adds to `allowTargets`. */
const loopbackNetworks = ["127.0.0.0/8", "::1/128"];

/** One key with the value it has, or was given in vain. */
export interface Setting {
  readonly key: ConfigKey;
  /** `undefined` when it is unset and has no default. */
  readonly value: unknown;
  /** `--port`, `CARILLON_PORT`, `file:` and its path, or `default`. */
  readonly origin: string;
}

/** What sources come to, whether they are right or not. */
export interface ResolvedConfig {
  /** In the order of the schema. */
  readonly settings: readonly Setting[];
  /** In every source, also in values that another source overrides. */
  readonly mistakes: readonly ConfigMistake[];
  /** With defaults in place of what is wrong. */
  readonly config: Config;
}

/**
 * Collects, checks and freezes the configuration.
 *
 * @throws ConfigError with every mistake
 */
export function loadConfig(sources: ConfigSources = {}): Config {
  const { config, mistakes } = resolveConfig(sources);
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return config;
}

/** Collects and checks the configuration, and says where each value is from. */
export function resolveConfig(sources: ConfigSources = {}): ResolvedConfig {
  const { flags = {}, env = {} } = sources;
  const keys = listConfigKeys();
  const mistakes: ConfigMistake[] = [];
  const path = flags.config ?? (env.CARILLON_CONFIG || sources.file);
  // Later sources win.
  const given: Given[] = [
    ...fromSettings(sources.settings ?? {}, keys, mistakes),
    ...(path === undefined
      ? []
      : fromFile(String(path), sourceOfPath(sources), keys, mistakes)),
    ...fromEnvironment(env, keys, mistakes),
    ...fromFlags(flags, keys, mistakes),
  ];
  const values = new Map<string, unknown>();
  for (const { key, source, value, base } of given) {
    const { parsed, problems } = parseAndCheck(key, value, base);
    for (const problem of problems) {
      mistakes.push({ key: key.path, source, problem });
    }
    if (problems.length === 0)
      values.set(
        key.path,
        isPath(key) ? resolve(base, String(parsed)) : parsed,
      );
  }
  mistakes.push(...halfKeyPair(values), ...bouncesWithoutDomain(values));
  const config = build(keys, values);
  mistakes.push(
    ...loopbackLinks(config, given),
    // Without the providers that were meant it would miss them.
    ...(hasMistake(mistakes, "sms.providers")
      ? []
      : [
          ...unknownRouteProviders(config, given),
          ...unknownCodeProviders(config, given, sources.codeProviders),
        ]),
    ...policyMistakes(config, given, mistakes),
    ...emailMistakes(config, given),
    ...routerMistakes(config, given),
  );
  const settings = keys.map((key): Setting => {
    const last = given.findLast((one) => one.key.path === key.path);
    const value = at(config, key.path);
    if (!last) return { key, value, origin: "default" };
    const isWrong = mistakes.some(({ source }) => source === last.source);
    return { key, value: isWrong ? last.value : value, origin: last.origin };
  });
  return { settings, mistakes, config };
}

/** Keys whose values are paths of files or folders. */
function isPath({ path }: ConfigKey): boolean {
  return [
    "data",
    "secretKeyFile",
    "email.tlsCaFile",
    "email.dkim.keyFile",
    "sms.policyFile",
    "sms.router",
    "email.router",
  ].includes(path);
}

/** The value of the key at that place; `undefined` when it is unset. */
export function at(section: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>(
      (inner, name) =>
        typeof inner === "object" && inner !== null
          ? (inner as Record<string, unknown>)[name]
          : undefined,
      section,
    );
}

/** A value someone gave, before it is parsed. */
interface Given {
  readonly key: ConfigKey;
  readonly source: string;
  /** As {@link Setting} has it. */
  readonly origin: string;
  readonly value: unknown;
  /** Folder that relative paths start from. */
  readonly base: string;
}

function fromFlags(
  flags: Readonly<Record<string, unknown>>,
  keys: readonly ConfigKey[],
  mistakes: ConfigMistake[],
): Given[] {
  return Object.entries(flags).flatMap(([name, value]) => {
    if (value === undefined || name === "config") return [];
    const key = keys.find(({ option }) => option === name);
    if (key) {
      const source = key.flag ?? name;
      return { key, source, origin: source, value, base: "." };
    }
    mistakes.push({
      key: name,
      source: name,
      problem: `there is no such option${didYouMean(
        name,
        keys.map(({ option }) => option),
      )}`,
    });
    return [];
  });
}

function fromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  keys: readonly ConfigKey[],
  mistakes: ConfigMistake[],
): Given[] {
  mistakes.push(
    ...findMisspeltVariables(env).map(({ name, meant }) => ({
      key: name,
      source: name,
      problem: `there is no such variable; did you mean ${meant}?`,
    })),
  );
  return Object.entries(env).flatMap(([name, value]) => {
    const key = keys.find(({ variable }) => variable === name);
    if (!key || !value || isServiceLink(name, env)) return [];
    return { key, source: name, origin: name, value, base: "." };
  });
}

function fromFile(
  path: string,
  pathSource: string,
  keys: readonly ConfigKey[],
  mistakes: ConfigMistake[],
): Given[] {
  let content: unknown;
  try {
    content = readConfigFile(path);
  } catch (error) {
    mistakes.push({
      key: "config",
      source: pathSource,
      problem: `expected a readable JSON file, got "${path}" (${reasonOf(error)})`,
    });
    return [];
  }
  return fromObject(
    content,
    {
      base: dirname(resolve(path)),
      origin: `file:${path}`,
      sourceOf: (place) => (place ? `${place} in ${path}` : path),
    },
    keys,
    mistakes,
  );
}

function fromSettings(
  settings: object,
  keys: readonly ConfigKey[],
  mistakes: ConfigMistake[],
): Given[] {
  const sourceOf = (place: string) => place || "settings";
  const place = { base: ".", origin: "settings", sourceOf };
  return fromObject(settings, place, keys, mistakes);
}

/** Values of an object with sections. */
function fromObject(
  content: unknown,
  {
    sourceOf,
    ...place
  }: Pick<Given, "base" | "origin"> & {
    /** What a mistake at that path is said to be in; empty for the whole. */
    readonly sourceOf: (path: string) => string;
  },
  keys: readonly ConfigKey[],
  mistakes: ConfigMistake[],
): Given[] {
  const given: Given[] = [];
  walk(content, "");
  return given;

  function walk(section: unknown, prefix: string): void {
    const path = prefix.replace(/\.$/, "");
    if (
      typeof section !== "object" ||
      section === null ||
      Array.isArray(section)
    ) {
      mistakes.push({
        key: path || "config",
        source: sourceOf(path),
        problem: `expected an object, got ${kindOf(section)}`,
      });
      return;
    }
    for (const [name, value] of Object.entries(section)) {
      // Of a program; JSON has none.
      if (value === undefined) continue;
      const full = `${prefix}${name}`;
      const source = sourceOf(full);
      const key = keys.find((candidate) => candidate.path === full);
      if (key) given.push({ key, source, value, ...place });
      else if (keys.some((other) => other.path.startsWith(`${full}.`))) {
        walk(value, `${full}.`);
      } else {
        mistakes.push({
          key: full,
          source,
          problem: `there is no such key${didYouMean(
            full,
            namesLike(
              full,
              keys.map((other) => other.path),
            ),
          )}`,
        });
      }
    }
  }
}

function sourceOfPath({ flags, env }: ConfigSources): string {
  if (flags?.config !== undefined) return "--config";
  return env?.CARILLON_CONFIG ? "CARILLON_CONFIG" : "configuration file";
}

/** Turns text into the key's type; what does not fit stays as it came. */
function parse(key: ConfigKey, value: unknown): unknown {
  switch (key.kind) {
    case "integer":
      return toInteger(value);
    case "number":
      return typeof value === "string" && /^\s*\d{1,15}(\.\d+)?\s*$/.test(value)
        ? Number(value)
        : value;
    case "boolean": {
      const word = typeof value === "string" ? value.trim().toLowerCase() : "";
      if (["true", "1", "yes", "on"].includes(word)) return true;
      if (["false", "0", "no", "off"].includes(word)) return false;
      return value;
    }
    case "list":
      return toList(value);
    case "integers": {
      const list = toList(value);
      return Array.isArray(list) ? list.map(toInteger) : list;
    }
    case "text":
      // Links are made by appending to it.
      return key.path === "publicUrl" && typeof value === "string"
        ? value.replace(/\/+$/, "")
        : value;
    default:
      return key.kind satisfies never;
  }
}

function parseAndCheck(
  key: ConfigKey,
  given: unknown,
  base: string,
): { readonly parsed: unknown; readonly problems: readonly string[] } {
  if (key.path !== "sms.providers" && key.path !== "email.backends") {
    const parsed = parse(key, given);
    return { parsed, problems: problemsWith(key, parsed, given) };
  }
  const { value: parsed, problems } = readProviderEntries(given, base);
  if (problems.length === 0) {
    return { parsed, problems: problemsWith(key, parsed, given) };
  }
  // Not by the schema: it would miss what could not be read.
  const others = parsed === undefined ? [] : [key.problem?.(parsed) ?? []];
  return { parsed, problems: [...problems, ...others.flat()] };
}

function toInteger(value: unknown): unknown {
  return typeof value === "string" && /^\s*-?\d{1,15}\s*$/.test(value)
    ? Number(value)
    : value;
}

function toList(value: unknown): unknown {
  const parts = typeof value === "string" ? [value] : value;
  // A repeated flag brings a list of texts, each of which may be a list.
  return Array.isArray(parts)
    ? parts.flatMap((part: unknown) =>
        typeof part === "string"
          ? part.split(",").flatMap((item) => item.trim() || [])
          : [part],
      )
    : value;
}

function problemsWith(
  key: ConfigKey,
  parsed: unknown,
  given: unknown,
): readonly string[] {
  if (key.unsupported) return [key.unsupported];
  const problems = [key.problem?.(parsed) ?? []].flat();
  if (problems.length > 0) return problems.map(withoutUserInfo);
  if (Check(key.schema, parsed)) return [];
  return [
    `expected ${key.expected}, got ${
      key.secret
        ? "a value that is not shown"
        : show(shownValue({ key, value: given }))
    }`,
  ];
}

/** A key without its other half would sign nothing. */
function halfKeyPair(values: ReadonlyMap<string, unknown>): ConfigMistake[] {
  const [has, lacks] = values.has("accessKey")
    ? ["accessKey", "secretKey"]
    : ["secretKey", "accessKey"];
  if (!values.has(has) || values.has(lacks)) return [];
  return [
    {
      key: lacks,
      source: lacks,
      problem: `expected a value, because ${has} is set: set both or neither`,
    },
  ];
}

/** Whoever listens for bounces has to know which are its own. */
function bouncesWithoutDomain(
  values: ReadonlyMap<string, unknown>,
): ConfigMistake[] {
  const key = "email.bounces.domain";
  if (!values.has("email.bounces.port") || values.has(key)) return [];
  const problem = "expected a domain, because email.bounces.port is set";
  return [{ key, source: key, problem }];
}

/** Whoever gets a link to this machine's own address cannot follow it. */
function loopbackLinks(
  { host, publicUrl, sandbox }: Config,
  given: readonly Given[],
): ConfigMistake[] {
  if (isLoopback(host) || publicUrl !== undefined || sandbox) return [];
  const last = given.findLast(({ key }) => key.path === "host");
  return [
    {
      key: "host",
      source: last?.source ?? "host",
      problem: `expected a publicUrl beside ${host}, because links in messages would lead to this machine's own address: set --public-url (CARILLON_PUBLIC_URL) to where people and clients reach the server, or --sandbox to try it out`,
    },
  ];
}

function unknownRouteProviders(
  config: Config,
  given: readonly Given[],
): ConfigMistake[] {
  const { route } = config.sms;
  if (route === undefined) return [];
  const problem = problemWithRouteProviders(route, sendingProviders(config));
  if (problem === undefined) return [];
  const last = given.findLast(({ key }) => key.path === "sms.route");
  return [{ key: "sms.route", source: last?.source ?? "sms.route", problem }];
}

/** A file cannot bring what only a program has. */
function unknownCodeProviders(
  config: Config,
  given: readonly Given[],
  names: readonly string[] = [],
): ConfigMistake[] {
  const last = given.findLast(({ key }) => key.path === "sms.providers");
  return config.sms.providers.flatMap((setting, at) =>
    typeof setting === "object" &&
    setting.type === codeProviderType &&
    !names.includes(setting.name)
      ? {
          key: "sms.providers",
          source: last?.source ?? "sms.providers",
          problem: `entry ${at + 1}: the program has no provider ${setting.name}: ${codeProviderType} stands for one that a program brings as it opens the service`,
        }
      : [],
  );
}

/** Nothing is made yet: a file that is wrong is found before a data folder is. */
function policyMistakes(
  config: Config,
  given: readonly Given[],
  mistakes: readonly ConfigMistake[],
): ConfigMistake[] {
  // There may be prices in the file that was meant.
  if (hasMistake(mistakes, "sms.policyFile")) return [];
  const providers = hasMistake(mistakes, "sms.providers")
    ? undefined
    : sendingProviders(config);
  return findPolicyMistakes(config.sms, providers).map((mistake) => ({
    ...mistake,
    source:
      given.findLast(({ key }) => key.path === mistake.key)?.source ??
      mistake.source,
  }));
}

/** By keys that stand together, and by files that are named. */
function emailMistakes(
  config: Config,
  given: readonly Given[],
): ConfigMistake[] {
  return findEmailMistakes(config).map((mistake) => ({
    ...mistake,
    source:
      given.findLast(({ key }) => isAt(key.path, mistake.key))?.source ??
      mistake.source,
  }));
}

function isAt(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}.`);
}

function routerMistakes(
  { sms, email }: Config,
  given: readonly Given[],
): ConfigMistake[] {
  return Object.entries({
    "sms.router": sms.router,
    "email.router": email.router,
  }).flatMap(([path, router]) => {
    const problem =
      router === undefined ? undefined : problemWithRouter(router);
    if (problem === undefined) return [];
    const last = given.findLast(({ key }) => key.path === path);
    return [{ key: path, source: last?.source ?? path, problem }];
  });
}

function hasMistake(mistakes: readonly ConfigMistake[], path: string): boolean {
  return mistakes.some(({ key }) => key === path);
}

/** Whether only this machine reaches what listens there. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|::1)$/i.test(host);
}

function build(
  keys: readonly ConfigKey[],
  values: ReadonlyMap<string, unknown>,
): Config {
  const sandbox = values.get("sandbox") === true;
  const config: Record<string, unknown> = {};
  for (const key of keys) {
    let value = values.get(key.path) ?? structuredClone(key.default);
    if (value !== undefined && isPath(key)) value = resolve(String(value));
    if (key.path === "allowTargets" && sandbox && Array.isArray(value)) {
      value = [...new Set([...value, ...loopbackNetworks])];
    }
    put(config, key.path.split("."), value);
  }
  // Every key was checked against its own schema, or has its default.
  return freeze(config) as Config;
}

/** A configuration whose keys are each from the one that is chosen for it. */
export function mixConfigs(choose: (key: ConfigKey) => Config): Config {
  const mixed: Record<string, unknown> = {};
  for (const key of listConfigKeys()) {
    put(mixed, key.path.split("."), at(choose(key), key.path));
  }
  // Every value is of a configuration that was checked.
  return freeze(mixed) as Config;
}

/** A section is made also where none of its keys is set. */
function put(
  target: Record<string, unknown>,
  [name = "", ...rest]: readonly string[],
  value: unknown,
): void {
  if (rest.length === 0) {
    if (value !== undefined) target[name] = value;
    return;
  }
  target[name] ??= {};
  // Sections are only ever made on the line above.
  put(target[name] as Record<string, unknown>, rest, value);
}

function freeze(value: unknown): unknown {
  if (typeof value === "object" && value !== null) {
    for (const part of Object.values(value)) freeze(part);
    Object.freeze(value);
  }
  return value;
}

/** The paths, and of sections those that are as deep as what was written. */
function namesLike(
  written: string,
  paths: readonly string[],
): readonly string[] {
  const depth = written.split(".").length;
  const sections = paths.map((path) =>
    path.split(".").slice(0, depth).join("."),
  );
  return [...new Set([...paths, ...sections])];
}

function didYouMean(name: string, names: readonly string[]): string {
  const best = nearest(name, names);
  return best === undefined ? "" : `; did you mean ${best}?`;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** Sections may hold secrets: what is in them is not shown. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return value === null ? "null" : `a ${typeof value}`;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? error.code : undefined;
  switch (code) {
    case "ENOENT":
      return "no such file";
    case "EACCES":
      return "no permission to read it";
    case "EISDIR":
      return "it is a folder";
    default:
      return error.message;
  }
}
