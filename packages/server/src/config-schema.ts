/**
 * Every configuration key, once: its type, default, meaning and what a value
 * must look like. Names of environment variables and flags, the checks at
 * start, the reference page and the example file all come from this table.
 */

import { BlockList, isIP } from "node:net";
import { problemWithSmtpUrl } from "@carillon/channels/email-settings";
import { maxLifeSeconds, maxTimeToLiveSeconds } from "@carillon/core";
import { KEYWORD_LANGUAGES } from "@carillon/gateway";
import type { Static, TObject, TSchema } from "typebox";
import { problemWithOrigins } from "./allowed-origins.ts";
import {
  accents,
  batchSettings,
  defaultPhoneCode,
  deliveryCheckSettings,
  storedProfile,
} from "./batch-settings.ts";
import { emailSettings } from "./email-settings.ts";
import { Type } from "./json-schema.ts";
import { pullSettings } from "./pull/pull-settings.ts";
import { guardSettings } from "./sms-guard-settings.ts";
import { problemWithRoute } from "./sms-route.ts";
import {
  ProviderSetting,
  problemsWithProviders,
  problemWithInbound,
} from "./sms-settings.ts";

/** What a key says about itself besides its type. */
export interface KeyNotes {
  readonly group: ConfigGroup;
  /** Sentences for the reference page and `--help`. */
  readonly description: string;
  /** Completes "expected …" when a value is wrong. */
  readonly expected: string;
  /** Shown in the example file when there is no default. */
  readonly example?: unknown;
  /** Whether it is applied while the server runs; others need a restart. */
  readonly reloadable?: boolean;
  /** Never shown. */
  readonly secret?: boolean;
  /** No flag: everybody on the machine can read command lines, or too many. */
  readonly withoutFlag?: boolean;
  /** Why a value cannot be accepted yet. */
  readonly unsupported?: string;
  /** A clause on what is wrong with a parsed value, or several, if it can say more. */
  readonly problem?: (value: unknown) => string | readonly string[] | undefined;
}

/** Sections of the reference page, in its order. */
export const configGroups = [
  "Server",
  "First start",
  "Delivery",
  "E-mail",
  "SMS",
  "Pull",
  "Limits",
  "Engine",
] as const;

export type ConfigGroup = (typeof configGroups)[number];

const hostPattern = "^[A-Za-z0-9.:_-]{1,253}$";

const configSchema = Type.Object({
  host: text({
    group: "Server",
    description:
      "Address to listen on. `0.0.0.0` or `::` listens on all of them, `localhost` on 127.0.0.1 alone. One that others reach needs `publicUrl`, unless `sandbox` is on.",
    expected: "a host name or IP address",
    default: "127.0.0.1",
    pattern: hostPattern,
  }),
  port: integer(0, 65_535, {
    group: "Server",
    description: "Port to listen on; 0 picks a free one.",
    expected: "a whole number from 0 to 65535 (0 picks a free port)",
    default: 7070,
  }),
  data: text({
    group: "Server",
    description:
      "Folder of the database and of `credentials.json`; made if absent. A relative path starts at the working directory, in the file at the file's own folder.",
    expected: "a path",
    default: "./carillon-data",
    pattern: "^[^\\0]+$",
  }),
  secretKeyFile: Type.Optional(
    text({
      group: "Server",
      description:
        "File of 32 random bytes that secrets in the store are encrypted under, for all nodes of a store the same; it is read only, and has to be there. Without it, `secret.key` in the data folder, which the first start makes. Not to be confused with `secretKey`. A relative path starts as that of `data` does.",
      expected: "a path",
      example: "/run/secrets/carillon.key",
      pattern: "^[^\\0]+$",
    }),
  ),
  databaseUrl: Type.Optional(
    text({
      group: "Server",
      description:
        "URL of a PostgreSQL database, for many nodes. Not in this version.",
      expected: "nothing",
      secret: true,
      unsupported:
        "this version runs embedded only (SQLite in the data folder): leave it unset",
    }),
  ),
  natsUrl: Type.Optional(
    text({
      group: "Server",
      description: "URL of a NATS server, for many nodes. Not in this version.",
      expected: "nothing",
      secret: true,
      unsupported:
        "this version runs embedded only (work is distributed in process): leave it unset",
    }),
  ),
  publicUrl: Type.Optional(
    Type.Refine(
      text({
        group: "Server",
        description:
          "URL under which subscribers and clients reach the server; stands in links and in the catalogue. Without it, the address listened on.",
        expected:
          "a URL that starts with http:// or https://, without query or user name",
        example: "https://notify.example.com",
      }),
      isPublicUrl,
    ),
  ),
  trustedProxies: Type.Array(
    Type.Refine(Type.String(), isCidr),
    notes({
      group: "Server",
      description:
        "Networks of the reverse proxies in front of the server. Only in requests from them the client's address, the host and the scheme are taken from `X-Forwarded-For`, `-Host` and `-Proto`.",
      expected:
        "networks such as 127.0.0.1/32 or fd00::/8, separated by commas",
      default: [],
      example: ["127.0.0.1/32"],
    }),
  ),
  openMetrics: Type.Boolean(
    notes({
      group: "Server",
      description:
        "Shows `/metrics` without credentials. Otherwise they are shown to requests from this machine itself, and to operators' credentials from elsewhere.",
      expected: "true or false",
      default: false,
    }),
  ),
  metricsToken: Type.Optional(
    text({
      group: "Server",
      description:
        "Shows `/metrics` to requests with `Authorization: Bearer` and this token, besides those above.",
      expected: "16 to 256 printable characters without spaces",
      secret: true,
      withoutFlag: true,
      pattern: "^[!-~]{16,256}$",
    }),
  ),
  metricsPort: Type.Optional(
    integer(0, 65_535, {
      group: "Server",
      description:
        "Port that shows `/metrics` alone, besides the server's own; 0 picks a free one. Without credentials, or with `metricsToken` if that is set.",
      expected: "a whole number from 0 to 65535 (0 picks a free port)",
      example: 9464,
    }),
  ),
  metricsHost: text({
    group: "Server",
    description: "Address that `metricsPort` listens on.",
    expected: "a host name or IP address",
    default: "127.0.0.1",
    pattern: hostPattern,
  }),
  allowedOrigins: Type.Array(
    Type.String(),
    notes({
      group: "Server",
      reloadable: true,
      description:
        "Origins of web pages whose scripts may use the API (CORS), with credentials in headers; `*` allows all of them.",
      expected:
        "origins such as https://app.example.com, separated by commas, or *",
      default: [],
      example: ["https://app.example.com"],
      problem: problemWithOrigins,
    }),
  ),
  sandbox: Type.Boolean(
    notes({
      group: "Server",
      description:
        "Adds built-in receivers (webhook inbox, mail capture, simulated phones) and lets deliveries reach this machine.",
      expected: "true or false",
      default: false,
    }),
  ),
  region: text({
    group: "Server",
    description:
      "Region that stands in URNs and in the catalogue. It stays what it was at the first start of the data folder: another one is refused, because it would rename every URN.",
    expected: "1 to 64 letters, digits, '-' or '_'",
    default: "local",
    pattern: "^[A-Za-z0-9_-]{1,64}$",
  }),
  logLevel: Type.Union(
    [
      Type.Literal("debug"),
      Type.Literal("info"),
      Type.Literal("warn"),
      Type.Literal("error"),
      Type.Literal("silent"),
    ],
    notes({
      group: "Server",
      reloadable: true,
      description: "Least important log lines that are written, to stderr.",
      expected: "one of debug, info, warn, error, silent",
      default: "info",
    }),
  ),

  adminPassword: Type.Optional(
    text({
      group: "First start",
      description: "Password of user `admin`. Made up if unset.",
      expected: "1 to 128 characters",
      secret: true,
      withoutFlag: true,
      pattern: "^[^\\0\\r\\n]{1,128}$",
    }),
  ),
  projectId: Type.Optional(
    text({
      group: "First start",
      description: "Id of the first project. Made up if unset.",
      expected: "32 lower-case hexadecimal characters",
      example: "0f3c5d1e2a4b46788899aabbccddeeff",
      pattern: "^[0-9a-f]{32}$",
    }),
  ),
  projectName: Type.Optional(
    text({
      group: "First start",
      description: "Name of the first project. `default` if unset.",
      expected: "1 to 64 characters on one line",
      example: "default",
      pattern: "^[^\\0\\r\\n]{1,64}$",
    }),
  ),
  accessKey: Type.Optional(
    text({
      group: "First start",
      description: "Access key of the first key pair. Made up if unset.",
      expected: "1 to 128 letters, digits, '-' or '_'",
      secret: true,
      withoutFlag: true,
      pattern: "^[A-Za-z0-9_-]{1,128}$",
    }),
  ),
  secretKey: Type.Optional(
    text({
      group: "First start",
      description:
        "Secret key that goes with `accessKey`. Both or neither are set.",
      expected: "1 to 128 printable characters without spaces",
      secret: true,
      withoutFlag: true,
      pattern: "^[!-~]{1,128}$",
    }),
  ),

  allowTargets: Type.Array(
    Type.Refine(Type.String(), isCidr),
    notes({
      group: "Delivery",
      reloadable: true,
      description:
        "Networks that deliveries may reach although they are private, loopback or link-local; `sandbox` adds loopback.",
      expected: "networks such as 10.0.0.0/8 or fd00::/8, separated by commas",
      default: [],
      example: ["10.0.0.0/8"],
    }),
  ),
  allowPorts: Type.Array(
    Type.Integer({ minimum: 1, maximum: 65_535 }),
    notes({
      group: "Delivery",
      reloadable: true,
      description:
        "Ports that deliveries may reach although they are of mail servers, databases and their like: 22, 23, 25, 53, 110, 143, 465, 587, 3306, 5432, 6379, 9200, 11211 and 27017 are refused otherwise.",
      expected: "ports from 1 to 65535, separated by commas",
      default: [],
      example: [587],
      uniqueItems: true,
    }),
  ),
  httpTimeoutMs: integer(100, 60_000, {
    group: "Delivery",
    description:
      "How long a webhook may take to answer, in milliseconds, connecting included.",
    expected: "a whole number of milliseconds from 100 to 60000",
    default: 5000,
  }),
  retryProfile: Type.Union(
    [Type.Literal("default"), Type.Literal("smn")],
    notes({
      group: "Delivery",
      description:
        "When failed deliveries are attempted again: `default` makes ten attempts over two days (45 to 54 hours), `smn` seven within 18 to 22 minutes, and none after an HTTP 4xx.",
      expected: "one of default, smn",
      default: "default",
    }),
  ),
  maxRetryAfterSeconds: integer(1, maxTimeToLiveSeconds, {
    group: "Delivery",
    description:
      "How long a wait counts that a receiver or carrier asks for (`Retry-After`), in seconds. A message whose time to live ends before the wait expires at once: a lower value attempts it sooner than was asked.",
    expected: `a whole number of seconds from 1 to ${maxTimeToLiveSeconds}`,
    default: 86_400,
  }),

  storedProfile,

  defaultLifeHttp: defaultLife("over http", "259200 (72 hours)", true),
  defaultLifeHttps: defaultLife("over https", "259200 (72 hours)", true),
  defaultLifeEmail: defaultLife("over email", "259200 (72 hours)", true),
  defaultLifeSms: defaultLife("over sms", "14400 (4 hours)", true),
  defaultLifeSmsOtp: defaultLife(
    "over sms if its class is `otp`",
    "600 (10 minutes)",
  ),
  defaultLifePull: Type.Optional(
    integer(1, maxLifeSeconds, {
      group: "Delivery",
      description:
        "How long a message without a time to live can be fetched from mailboxes, in seconds. 1209600 (14 days) if unset.",
      expected: `a whole number of seconds from 1 to ${maxLifeSeconds}`,
      example: maxLifeSeconds,
    }),
  ),

  smtpUrl: Type.Optional(
    text({
      group: "E-mail",
      reloadable: true,
      description:
        "Mail server that e-mail goes through, with options such as `?requireTLS=true`; see the guide on e-mail. In a user name or password `/ # ? @` and `%` are written as `%2F %23 %3F %40 %25`. Without it e-mail deliveries fail; the sandbox brings its own.",
      expected:
        "a URL such as smtp://user:password@mail.example.com:587 or smtps://…",
      example: "smtp://user:password@mail.example.com:587",
      secret: true,
      problem: problemWithSmtpUrl,
    }),
  ),
  mailFrom: text({
    group: "E-mail",
    reloadable: true,
    description: "Sender address of e-mail.",
    expected: "a mail address such as noreply@example.com",
    default: "noreply@localhost",
    pattern: "^[^\\s@<>]{1,64}@[A-Za-z0-9.-]{1,189}$",
  }),
  email: emailSettings,

  sms: Type.Object({
    providers: Type.Array(
      ProviderSetting,
      notes({
        group: "SMS",
        reloadable: true,
        description:
          "Carriers that text messages go through; the first one is the default. `loopback` is a simulated phone network, `log` only writes a log line (number and text at level debug), `null` drops; what these two take ends in `debug`. An entry may also be an object, in the file or in a list of JSON: a carrier, see the guide on providers, a module of your own, see the guide on backends, or a forward pair's end, see the guide on inbound SMS. In the sandbox its phones come first.",
        expected:
          "a list of loopback, log, null, or of objects with type and name",
        default: ["log"],
        minItems: 1,
        uniqueItems: true,
        problem: problemsWithProviders,
      }),
    ),
    route: Type.Optional(
      text({
        group: "SMS",
        reloadable: true,
        description:
          "Which provider texts go through, in one line: `a || b` tries b when a failed, `a*3 && b` shares three to one, `(a*3 && b) || c` does both; see the guide on routing. For what no rule of `sms.policyFile` is for. Without it, that goes through the first provider. In the sandbox it counts only if it names `sandbox`.",
        expected: "names of providers joined by || and &&, such as a || b",
        example: "twilio || backup",
        problem: problemWithRoute,
      }),
    ),
    router: Type.Optional(
      text({
        group: "SMS",
        reloadable: true,
        description:
          "Module whose default export is asked for each text that names no provider, before `sms.policyFile` and `sms.route`: a function of recipient and text that answers the name of a provider, or nothing; see the guide on backends. A relative path starts as that of `data` does.",
        expected: "the path of a module",
        example: "./my-router.mjs",
      }),
    ),
    policyFile: Type.Optional(
      text({
        group: "SMS",
        reloadable: true,
        description:
          "JSON file with the delivery policy: rules that choose among the providers, when the next one is tried, and when one is left alone; see the guide on routing. Read at the start and at each reload. A relative path starts as that of `data` does.",
        expected: "the path of a file",
        example: "/etc/carillon/sms-policy.json",
      }),
    ),
    inbound: Type.Array(
      Type.String(),
      notes({
        group: "SMS",
        reloadable: true,
        description:
          "Topics of the first project that texts from phones are published to, by the number they were sent to and their first word; `*` is any number. The most specific entry counts: number and keyword, number, `*` and keyword, `*`.",
        expected:
          "entries such as 4915112345678=orders, 4915112345678/JOIN=members or *=inbox, separated by commas",
        default: [],
        example: ["*=inbox"],
        problem: problemWithInbound,
      }),
    ),
    optOutExempt: Type.Array(
      Type.String({ pattern: "^[A-Za-z0-9_-]{1,32}$" }),
      notes({
        group: "SMS",
        reloadable: true,
        description:
          "Classes of text messages that are sent to people who opted out, too.",
        expected: "a list of classes such as otp",
        default: [],
        example: ["otp"],
        uniqueItems: true,
      }),
    ),
    optOutLanguages: Type.Array(
      Type.Enum([...KEYWORD_LANGUAGES]),
      notes({
        group: "SMS",
        reloadable: true,
        description:
          "Languages whose words for STOP, START and HELP count in texts from every number, English among them always. When empty, those of the country that the number belongs to.",
        expected: `a list of ${KEYWORD_LANGUAGES.join(", ")}`,
        default: [],
        example: ["de", "fr"],
        uniqueItems: true,
      }),
    ),
    maxSegments: integer(1, 255, {
      group: "SMS",
      reloadable: true,
      description:
        "Segments that a text may take. A longer one to recipients that are named is refused when it is published; one to a topic's subscribers ends `rejected`. The default is what 1000 characters can take; carriers have limits of their own.",
      expected: "a whole number from 1 to 255",
      default: 30,
    }),
    defaultPhoneCode,
    accents,
    batch: batchSettings("sms", "SMS"),
    deliveryCheck: deliveryCheckSettings,
    guard: guardSettings,
  }),

  pull: pullSettings,

  maxConnections: integer(1, 1_000_000, {
    group: "Limits",
    reloadable: true,
    description:
      "Connections of clients open at once; further ones are closed as they come. A consumer that waits for messages, by a long poll or a stream, holds one: set more than there are such consumers, and let the system open as many files (`ulimit -n`).",
    expected: "a whole number from 1 to 1000000",
    default: 4096,
  }),
  topicsPerProject: integer(1, 1_000_000, {
    group: "Limits",
    reloadable: true,
    description: "Topics a project may have.",
    expected: "a whole number from 1 to 1000000",
    default: 3000,
  }),
  subscriptionsPerTopic: integer(1, 10_000_000, {
    group: "Limits",
    reloadable: true,
    description: "Subscriptions a topic may have.",
    expected: "a whole number from 1 to 10000000",
    default: 10_000,
  }),
  templatesPerProject: integer(1, 1_000_000, {
    group: "Limits",
    reloadable: true,
    description:
      "Message templates a project may have; one for each name and protocol.",
    expected: "a whole number from 1 to 1000000",
    default: 100,
  }),
  limitConfirmations: Type.Boolean(
    notes({
      group: "Limits",
      reloadable: true,
      description:
        "Sends an endpoint only so many confirmation messages for one project (http 200 in 10 minutes; e-mail 20 an hour and 40 in 2 days; SMS 10 an hour and 20 in 2 days) until it confirms. Subscribing succeeds all the same.",
      expected: "true or false",
      default: true,
    }),
  ),
  tagsPerTopic: integer(1, 1000, {
    group: "Limits",
    reloadable: true,
    description: "Tags a topic may have.",
    expected: "a whole number from 1 to 1000",
    default: 20,
  }),

  rangeSize: integer(1, 10_000, {
    group: "Engine",
    description: "Subscriptions that are fanned out and written together.",
    expected: "a whole number from 1 to 10000",
    default: 500,
  }),
  maxInFlight: integer(1, 100_000, {
    group: "Engine",
    description:
      "Deliveries under way at once over all endpoints, deferred ones not counted. More help when receivers are far away, fewer when they are near.",
    expected: "a whole number from 1 to 100000",
    default: 128,
  }),
  laneInFlight: integer(1, 10_000, {
    group: "Engine",
    description: "Deliveries under way at once to one endpoint.",
    expected: "a whole number from 1 to 10000",
    default: 32,
  }),
  leaseMs: integer(120_000, 3_600_000, {
    group: "Engine",
    description:
      "How many milliseconds a claim on work lasts unless it is renewed: what a node held that died is taken over after so long. Two thirds of it cover the timeout of each channel.",
    expected: "a whole number of milliseconds from 120000 to 3600000",
    default: 120_000,
  }),
  slowAfterMs: integer(10, 2000, {
    group: "Engine",
    description:
      "After this many milliseconds without an answer a delivery no longer holds up its range.",
    expected: "a whole number of milliseconds from 10 to 2000",
    default: 250,
  }),
});

/** The configuration as it is parsed; see `Config` for its frozen form. */
export type ConfigValues = Static<typeof configSchema>;

/** One key, with all that is derived from its name and place. */
export interface ConfigKey extends KeyNotes {
  /** Place in the file, e.g. `sms.providers`. */
  readonly path: string;
  /** e.g. `CARILLON_SMS_PROVIDERS`. */
  readonly variable: string;
  /** e.g. `--sms-providers`. */
  readonly flag: string | undefined;
  /** The flag's name in camel case, e.g. `smsProviders`. */
  readonly option: string;
  readonly kind:
    | "text"
    | "integer"
    | "number"
    | "boolean"
    | "list"
    | "integers";
  readonly default: unknown;
  readonly reloadable: boolean;
  readonly schema: TSchema;
}

/** All keys in the order of the schema, sections flattened. */
export function listConfigKeys(): readonly ConfigKey[] {
  return keysOf(configSchema.properties, "");
}

/** The environment variable of the key at that place. */
export function variableOf(path: string): string {
  const words = path.split(/\.|(?=[A-Z])/).map((word) => word.toUpperCase());
  return `CARILLON_${words.join("_")}`;
}

function keysOf(
  properties: Readonly<Record<string, TSchema>>,
  prefix: string,
): ConfigKey[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const path = `${prefix}${name}`;
    if (isSection(schema)) return keysOf(schema.properties, `${path}.`);
    const words = path.split(/\.|(?=[A-Z])/).map((word) => word.toLowerCase());
    // Every key below a section was built by `notes`, which asks for these.
    const own = schema as TSchema & KeyNotes & { readonly default?: unknown };
    return {
      group: own.group,
      description: own.description,
      expected: own.expected,
      example: own.example,
      reloadable: own.reloadable === true,
      ...(own.secret && { secret: true }),
      ...(own.unsupported && { unsupported: own.unsupported }),
      ...(own.problem && { problem: own.problem }),
      path,
      variable: variableOf(path),
      flag: own.withoutFlag ? undefined : `--${words.join("-")}`,
      option: words
        .map((word, at) => (at ? word[0]?.toUpperCase() + word.slice(1) : word))
        .join(""),
      kind: kindOf(schema),
      default: own.default,
      schema,
    };
  });
}

function isSection(schema: TSchema): schema is TObject {
  return typeOf(schema) === "object";
}

function typeOf(schema: TSchema): unknown {
  return "type" in schema ? schema.type : undefined;
}

function kindOf(schema: TSchema): ConfigKey["kind"] {
  if (typeOf(schema) === "integer") return "integer";
  if (typeOf(schema) === "number") return "number";
  if (typeOf(schema) === "boolean") return "boolean";
  if (typeOf(schema) !== "array") return "text";
  const items = "items" in schema ? (schema.items as TSchema) : {};
  return typeOf(items) === "integer" ? "integers" : "list";
}

type Options = KeyNotes & {
  readonly default?: unknown;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly uniqueItems?: boolean;
};

function notes(options: Options): Record<string, unknown> {
  return { ...options };
}

function text(options: Options) {
  return Type.String(notes(options));
}

function integer(minimum: number, maximum: number, options: Options) {
  return Type.Integer({ ...notes(options), minimum, maximum });
}

/**
 * @param traffic such as "over http"
 * @param seconds what holds if it is unset, then its explanation
 * @param isOfProfile whether SMN's retry profile has a life of its own for it
 */
function defaultLife(traffic: string, seconds: string, isOfProfile = false) {
  const otherwise = isOfProfile ? ", 3600 under the retry profile `smn`" : "";
  return Type.Optional(
    integer(1, maxTimeToLiveSeconds, {
      group: "Delivery",
      description: `How long a message without a time to live is attempted ${traffic}, in seconds. ${seconds} if unset${otherwise}.`,
      expected: `a whole number of seconds from 1 to ${maxTimeToLiveSeconds}`,
      example: Number.parseInt(seconds, 10),
    }),
  );
}

function isPublicUrl(value: string): boolean {
  if (!/^https?:\/\//.test(value) || !URL.canParse(value)) return false;
  const { search, hash, username, password } = new URL(value);
  return `${search}${hash}${username}${password}` === "";
}

function isCidr(value: string): boolean {
  const [address = "", prefix = "", ...rest] = value.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0 || !/^\d{1,3}$/.test(prefix)) {
    return false;
  }
  try {
    new BlockList().addSubnet(
      address,
      Number(prefix),
      family === 4 ? "ipv4" : "ipv6",
    );
    return true;
  } catch {
    // The prefix is longer than the address: not a network.
    return false;
  }
}
