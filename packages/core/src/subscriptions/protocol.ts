/**
 * Protocols: how endpoints are reached. A channel brings the definitions of its
 * own; the registry of them all is made where the service is put together, and
 * passed to whoever checks, shows or limits endpoints.
 */

import { CarillonError } from "../errors.ts";
import { isSmnProtocol } from "../templates/smn-protocols.ts";
import { isStorable } from "../text.ts";
import type { ConfirmationLimit } from "./confirmation-limits.ts";
import {
  type ExtensionRequest,
  refuseExtension,
  type SubscriptionExtension,
} from "./subscription.ts";

/** The name of a protocol: what subscriptions, templates and the ledger have. */
export type Protocol = string;

/** All that a channel says of a protocol whose endpoints it reaches. */
export interface ProtocolDefinition {
  /** 1 to 32 letters and digits, a lower-case letter first; not `default`. */
  readonly name: Protocol;
  /** Whether clients of SMN's API see it and may subscribe by it. */
  readonly isSmn: boolean;
  /** What an endpoint is, as the end of "protocol x needs …". */
  readonly endpointForm: string;
  /**
   * What is wrong with an endpoint, as the end of a sentence: "it has no @".
   * `undefined`: nothing. It has at most 2048 characters.
   */
  problemWithEndpoint(endpoint: string): string | undefined;
  /** A good endpoint in the form it is stored in. Default: as it came. */
  normalizeEndpoint?(endpoint: string): string;
  /** An endpoint as logs have it, which people of other projects read. */
  maskEndpoint(endpoint: string): string;
  /** An endpoint as its project's own records have it. Default: whole. */
  maskSecrets?(endpoint: string): string;
  /**
   * Endpoints are URLs that requests are made to from here: they are checked
   * against the networks that may be reached, can be probed, and what is sent to
   * them can be signed.
   */
  readonly isUrl?: boolean;
  /**
   * Checks what a subscription asks for besides its endpoint. Default: it has
   * nothing to ask for.
   *
   * @throws CarillonError SUBSCRIPTION_INVALID
   */
  checkExtension?(extension: ExtensionRequest): SubscriptionExtension;
  /**
   * Names under which a structured message has texts for it, best first; then
   * comes `default`. Default: its own name.
   */
  readonly variants?: readonly string[];
  /**
   * What keeps a text from being carried, as the end of a sentence: "a control
   * character (U+001B) at position 2". Absent when each text can be.
   */
  problemWithText?(text: string): string | undefined;
  /**
   * What makes a text too long, as the end of a sentence that begins with the
   * text: "takes 31 segments". A message to recipients that it names is refused
   * then; each other delivery ends. Default: nothing.
   */
  problemWithLength?(text: string): string | undefined;
  /** How long a message lives whose publisher gives no time to live; seconds. */
  readonly defaultLifeSeconds: number;
  /** The same of messages of class `otp`. Default: no other. */
  readonly otpLifeSeconds?: number;
  /**
   * `none`: a subscription counts at once. Otherwise its endpoint is sent a
   * message that asks to confirm, at most so often for one project.
   */
  readonly confirmation: "none" | readonly ConfirmationLimit[];
  /**
   * What bounds attempts at an endpoint together with others, such as the
   * credential that they share. Default: each endpoint by itself.
   */
  laneOf?(endpoint: string): string;
}

/** The protocols that are delivered by. */
export interface Protocols {
  /** In the order of the channels that brought them. */
  readonly all: readonly ProtocolDefinition[];
  /** Those of SMN's API alone; the same object when there are no others. */
  readonly ofSmn: Protocols;
  /** `undefined` also for what the ledger has of a channel that is gone. */
  find(name: string): ProtocolDefinition | undefined;
  /** @throws CarillonError PROTOCOL_INVALID */
  check(name: unknown): ProtocolDefinition;
  /** An endpoint as logs have it; of a channel that is gone, nothing of it. */
  maskEndpoint(name: Protocol, endpoint: string): string;
  /** The same as a project's own records have it. */
  maskSecrets(name: Protocol, endpoint: string): string;
  /** See {@link ProblemWithText}. */
  problemWithText: ProblemWithText;
}

/**
 * What keeps a text from being sent by the name of a protocol, as the end of a
 * sentence; `undefined` when nothing does, as for `default`, which is any's.
 */
export type ProblemWithText = (
  protocol: string,
  text: string,
) => string | undefined;

/**
 * Builds the registry of protocols.
 *
 * @throws RangeError when a name is none, or is there twice
 */
export function createProtocols(
  definitions: readonly ProtocolDefinition[],
): Protocols {
  const byName = new Map<string, ProtocolDefinition>();
  for (const definition of definitions) {
    const { name } = definition;
    if (!/^[a-z][a-zA-Z0-9]{0,31}$/.test(name) || name === "default") {
      throw new RangeError(
        `"${name}" is no name of a protocol: 1 to 32 letters and digits, a lower-case letter first, and not "default".`,
      );
    }
    if (byName.has(name)) {
      throw new RangeError(`Two channels bring the protocol ${name}.`);
    }
    byName.set(name, definition);
  }
  const names = [...byName.keys()].join(", ");
  const smnDefinitions = definitions.filter(({ isSmn }) => isSmn);
  const ofSmn =
    smnDefinitions.length < definitions.length
      ? createProtocols(smnDefinitions)
      : undefined;
  return {
    all: definitions,
    get ofSmn() {
      return ofSmn ?? this;
    },
    find: (name) => byName.get(name),
    check(name) {
      const found = typeof name === "string" ? byName.get(name) : undefined;
      if (found) return found;
      throw new CarillonError(
        "PROTOCOL_INVALID",
        typeof name === "string" && isSmnProtocol(name)
          ? `Nothing is delivered by the protocol ${name} here yet: use one of ${names}.`
          : `Invalid protocol: use one of ${names}.`,
      );
    },
    maskEndpoint: (name, endpoint) =>
      byName.get(name)?.maskEndpoint(endpoint) ?? "***",
    maskSecrets(name, endpoint) {
      const definition = byName.get(name);
      if (definition === undefined) return "***";
      return definition.maskSecrets?.(endpoint) ?? endpoint;
    },
    problemWithText(name, text) {
      for (const definition of definitions) {
        if (variantsOf(definition).includes(name)) {
          return definition.problemWithText?.(text);
        }
      }
      return undefined;
    },
  };
}

/** Names under which a structured message has texts for a protocol. */
export function variantsOf({
  name,
  variants = [name],
}: Pick<ProtocolDefinition, "name" | "variants">): readonly string[] {
  return variants;
}

/**
 * Checks an endpoint's form and answers it in the form it is stored in.
 * Whether the address may be reached is the egress guard's question.
 *
 * @throws CarillonError ENDPOINT_INVALID
 */
export function checkEndpoint(
  protocol: ProtocolDefinition,
  endpoint: unknown,
): string {
  if (typeof endpoint !== "string") {
    throw invalidEndpoint(protocol, "a text is expected");
  }
  const problem =
    endpoint.length > maxEndpointLength
      ? `it is longer than ${maxEndpointLength} characters`
      : isStorable(endpoint)
        ? protocol.problemWithEndpoint(endpoint)
        : "it has the character U+0000";
  if (problem !== undefined) throw invalidEndpoint(protocol, problem);
  return protocol.normalizeEndpoint?.(endpoint) ?? endpoint;
}

/**
 * Checks what a subscription asks for besides its endpoint; what its protocol
 * does not know is ignored, as SMN does.
 *
 * @throws CarillonError SUBSCRIPTION_INVALID
 */
export function checkExtension(
  protocol: ProtocolDefinition,
  extension: ExtensionRequest = {},
): SubscriptionExtension {
  return protocol.checkExtension
    ? protocol.checkExtension(extension)
    : refuseExtension(extension);
}

const maxEndpointLength = 2048;

/** @param problem completes "…; " */
function invalidEndpoint(
  { name, endpointForm }: ProtocolDefinition,
  problem: string,
): CarillonError {
  return new CarillonError(
    "ENDPOINT_INVALID",
    `Invalid endpoint: protocol ${name} needs ${endpointForm}; ${problem}.`,
  );
}
