/** What the two ends of a forward pair need to know. */

import type { Credentials } from "../../basic-auth.ts";
import { describeValue } from "../../describe-value.ts";
import { ConfigurationError } from "../../errors.ts";
import type { IncomingMessage } from "../../incoming-message.ts";
import type { MessageStatus } from "../../message-status.ts";
import type { ProviderField } from "../../provider-type.ts";
import { optional, textField, urlField } from "../setting-fields.ts";

export const DEFAULT_TIMEOUT_MS = 10_000;

/** How both ends of a forward pair know each other. */
export interface ForwardPeerConfig {
  /**
   * What the other side must present to our receiver. What we present to it
   * stands in its URL: `https://user:pass@host/…`.
   */
  readonly auth?: Credentials;
  /**
   * Shared secret that signs every request, in both directions. Only peers of
   * this package understand it. The signature covers the path: where a proxy
   * changes it, the adapter needs the `publicUrl`.
   */
  readonly secret?: string;
  /** For one request to the other side. Default 10,000. */
  readonly timeoutMs?: number;
  /** Instead of the gateway's `http`. */
  readonly fetch?: typeof globalThis.fetch;
}

/** Where a forward client finds its server. */
export interface ForwardClientConfig extends ForwardPeerConfig {
  /** Where the server's provider is mounted; a slash at its end may be. */
  readonly serverUrl: string;
  /**
   * Remember so many texts and statuses, and run the hooks once for each: the
   * carrier repeats them while any client of the server fails. One that comes
   * while the hooks run for it waits for them. Default 0.
   */
  readonly dedupe?: number;
}

/** What a server hands on to its clients. */
export type Forwardable = IncomingMessage | MessageStatus;

/** Which clients a forward server has. */
export interface ForwardServerConfig extends ForwardPeerConfig {
  /** Where the clients' providers are mounted. */
  readonly clients: readonly string[];
  /** Which clients an object goes to; all of them by default. */
  readonly chooseClients?: (
    object: Forwardable,
  ) => readonly string[] | Promise<readonly string[]>;
  /**
   * Values of `messageClass` that exempt a client's message from opt-outs as
   * one of our own, if they are among the opt-out's `exemptClasses`. None by
   * default: a client could keep nobody's STOP by naming its texts `otp`.
   */
  readonly exemptClasses?: readonly string[];
  /** Clients called at a time. Default 16. */
  readonly concurrency?: number;
}

/** Throws `ConfigurationError` unless it is an object. */
export function checkConfig<C extends ForwardPeerConfig>(
  config: C,
  provider: string,
): C {
  if (typeof config === "object" && config !== null) return config;
  throw new ConfigurationError(
    `${provider} needs a configuration, got ${describeValue(config)}`,
  );
}

const text = textField.schema;

/** What both ends may have in a configuration. */
const peerSchema = {
  auth: {
    schema: {
      type: "object",
      required: ["user", "pass"],
      properties: { user: text, pass: text },
      additionalProperties: false,
    },
    expected: 'an object of "user" and "pass"',
    isOptional: true,
  },
  secret: optional(textField),
  timeoutMs: {
    schema: { type: "integer", minimum: 100, maximum: 60_000 },
    expected: "a whole number of milliseconds from 100 to 60000",
    isOptional: true,
  },
} satisfies Readonly<Record<string, ProviderField>>;

export const forwardClientSchema: Readonly<Record<string, ProviderField>> = {
  ...peerSchema,
  serverUrl: urlField,
  dedupe: {
    schema: { type: "integer", minimum: 0, maximum: 1_000_000 },
    expected: "a whole number from 0 to 1000000",
    isOptional: true,
  },
};

export const forwardServerSchema: Readonly<Record<string, ProviderField>> = {
  ...peerSchema,
  clients: {
    schema: { type: "array", items: urlField.schema, uniqueItems: true },
    check: (value) => Array.isArray(value) && value.every(urlField.check),
    expected: "a list of URLs that start with http:// or https://",
  },
  exemptClasses: {
    schema: { type: "array", items: text, uniqueItems: true },
    expected: "a list of classes such as otp",
    isOptional: true,
  },
};
