/**
 * A delivery policy as data: it can stand in a configuration file, be shown to
 * a person and be explained. `parseDeliveryPolicy` checks what comes from
 * outside.
 */

import {
  CheckedFields,
  type FieldCheck,
  isFlag,
  isText,
  isTextList,
  listOf,
} from "../checked-fields.ts";
import { ConfigurationError } from "../errors.ts";
import { isCountry } from "./country.ts";
import { parseRouteLine, providersOf, RouteLineError } from "./route-line.ts";

/** A policy as it stands in a configuration file. */
export interface DeliveryPolicyData {
  /** The first rule that matches a message decides. */
  readonly rules: readonly PolicyRule[];
  /** What holds of a provider under every rule, by its name. */
  readonly providers?: Readonly<Record<string, PolicyProvider>>;
  readonly failover?: FailoverPolicy;
  readonly breaker?: BreakerPolicy;
  /** Of all costs, such as `EUR`. */
  readonly currency?: string;
}

/** A condition, and the providers for messages that meet it. */
export interface PolicyRule {
  /** Unique; it appears in explanations. */
  readonly name: string;
  /** All that is given must hold; nothing given matches every message. */
  readonly when?: PolicyCondition;
  /**
   * A route in one line: `a || b` tries b when a failed, `a*3 && b` shares
   * three to one, `(a*3 && b) || c` does both.
   */
  readonly use: string;
  /** Under this rule; what is absent is as the policy's `providers` say. */
  readonly providers?: Readonly<Record<string, PolicyProvider>>;
  /**
   * The same recipient always gets the same provider and sender while the
   * rule stays as it is. Default false.
   */
  readonly sticky?: boolean;
}

/** Which messages a rule is for. */
export interface PolicyCondition {
  /** Leading digits of the recipient, any of them. */
  readonly prefix?: readonly string[];
  /** ISO 3166 codes of the recipient's country, any of them. */
  readonly country?: readonly string[];
  /** The message's `messageClass`, any of them. */
  readonly class?: readonly string[];
  /** The sender that the message asks for, any of them; case does not matter. */
  readonly sender?: readonly string[];
}

/** What is known of a provider. */
export interface PolicyProvider {
  /** Sender numbers or IDs, for messages that bring none. */
  readonly senders?: readonly string[];
  readonly costPerSegment?: number;
}

/** When the next provider is asked. */
export interface FailoverPolicy {
  /** Try the next target when one fails. Default true. */
  readonly onErrors?: boolean;
  /** Even if the message may have gone out. Default false. */
  readonly onUnknownOutcome?: boolean;
  /** Also after a provider had accepted the message. Default off. */
  readonly receipts?: ReceiptFailoverPolicy;
}

/** When an accepted message is sent again through another provider. */
export interface ReceiptFailoverPolicy {
  /** Send again when a receipt says failed or expired. Default true. */
  readonly onFailed?: boolean;
  /** Send again when no final receipt came for so long. Default: never. */
  readonly silentMinutes?: number;
  /** Messages watched at a time; the oldest give way. Default 10,000. */
  readonly maxTracked?: number;
}

/** When a provider that fails is left out, and for how long. */
export interface BreakerPolicy {
  /** Share of failures that opens it. Default 0.5. */
  readonly failureRate?: number;
  /** Attempts in the window before the share counts. Default 5. */
  readonly minimumAttempts?: number;
  /** Default 60. */
  readonly windowSeconds?: number;
  /** Until one attempt is let through to probe. Default 30. */
  readonly openSeconds?: number;
}

/**
 * Checks a policy of unknown origin. Throws one `ConfigurationError` that
 * lists all problems.
 */
export function parseDeliveryPolicy(value: unknown): DeliveryPolicyData {
  const problems = problemsWithPolicy(value);
  if (problems.length > 0) {
    // A caret has its meaning on a line of its own.
    const between = problems.some((it) => it.includes("\n")) ? "\n" : "; ";
    throw new ConfigurationError(
      `The delivery policy is not valid: ${problems.join(between)}`,
    );
  }
  // Every field was checked.
  return value as DeliveryPolicyData;
}

/** A clause for each thing that is wrong with a policy of unknown origin. */
export function problemsWithPolicy(value: unknown): readonly string[] {
  const problems: string[] = [];
  const policy = new CheckedFields(value, "policy", problems);
  policy.only("rules", "providers", "failover", "breaker", "currency");
  policy.optional("currency", isText, "text");
  const names = new Set<string>();
  for (const rule of policy.list("rules")) {
    rule.only("name", "when", "use", "providers", "sticky");
    rule.required("name", isText, "text");
    const name = rule.get("name");
    if (typeof name === "string") {
      if (names.has(name)) problems.push(`rule name "${name}" is used twice`);
      names.add(name);
    }
    rule.optional("sticky", isFlag, "true or false");
    const when = rule.nested("when");
    when?.only("prefix", "country", "class", "sender");
    when?.optional("prefix", isDigitsList, "a list of digits");
    when?.optional(
      "country",
      isCountryList,
      "a list of ISO 3166 codes such as DE",
    );
    when?.optional("class", isTextList, "a list of text");
    when?.optional("sender", isTextList, "a list of text");
    const used = checkUse(rule);
    checkProviders(rule, used);
  }
  checkProviders(policy);
  const failover = policy.nested("failover");
  failover?.only("onErrors", "onUnknownOutcome", "receipts");
  failover?.optional("onErrors", isFlag, "true or false");
  failover?.optional("onUnknownOutcome", isFlag, "true or false");
  const receipts = failover?.nested("receipts");
  receipts?.only("onFailed", "silentMinutes", "maxTracked");
  receipts?.optional("onFailed", isFlag, "true or false");
  receipts?.optional("silentMinutes", isPositive, "a number above 0");
  receipts?.optional("maxTracked", isPositive, "a number above 0");
  const breaker = policy.nested("breaker");
  const numbers = ["minimumAttempts", "windowSeconds", "openSeconds"] as const;
  breaker?.only("failureRate", ...numbers);
  breaker?.optional("failureRate", isShare, "a number above 0, at most 1");
  for (const field of numbers) {
    breaker?.optional(field, isPositive, "a number above 0");
  }
  return problems;
}

/**
 * A clause that names the providers that there are not, with those there are.
 * Whatever else may be wrong with the policy: that is said elsewhere.
 *
 * @param registered names of those there are
 */
export function problemWithPolicyProviders(
  value: unknown,
  registered: Iterable<string>,
): string | undefined {
  const policy = new CheckedFields(value, "policy", []);
  const names = new Set(registered);
  const used = policy.list("rules").flatMap((rule, at) => {
    const name = rule.get("name");
    const where = isText(name) ? `rule "${name}"` : `rules[${at}]`;
    return (checkUse(rule) ?? []).map((it) => [it, where] as const);
  });
  const described = (policy.nested("providers")?.names ?? []).map(
    (name) => [name, "providers"] as const,
  );
  const missing = [...used, ...described]
    .filter(([name]) => !names.has(name))
    .map(([name, where]) => `"${name}" in ${where}`);
  if (missing.length === 0) return undefined;
  const there = [...names].join(", ");
  return `unknown providers: ${missing.join(", ")}; ${there ? `there are ${there}` : "there are none"}`;
}

/** The providers of the rule's line; `undefined` when it is wrong. */
function checkUse(rule: CheckedFields): readonly string[] | undefined {
  rule.required("use", isText, 'a route in one line, such as "a || b"');
  const use = rule.get("use");
  if (!isText(use)) return undefined;
  try {
    return providersOf(parseRouteLine(String(use)));
  } catch (error) {
    if (!(error instanceof RouteLineError)) throw error;
    rule.report("use", `is no route: ${error.message}`);
    return undefined;
  }
}

/** @param used those that it may name; any by default */
function checkProviders(parent: CheckedFields, used?: readonly string[]): void {
  const providers = parent.nested("providers");
  for (const name of providers?.names ?? []) {
    if (used && !used.includes(name)) {
      providers?.report(name, "is not in the rule's use");
    }
    const provider = providers?.nested(name);
    provider?.only("senders", "costPerSegment");
    provider?.optional("senders", isTextList, "a list of text");
    provider?.optional("costPerSegment", isAmount, "a number, 0 or more");
  }
}

const isAmount: FieldCheck = (v) => Number.isFinite(v) && Number(v) >= 0;
const isPositive: FieldCheck = (v) => Number.isFinite(v) && Number(v) > 0;
const isShare: FieldCheck = (v) => isPositive(v) && Number(v) <= 1;
const isDigitsList = listOf((v) => /^\d+$/.test(String(v)));
const isCountryList = listOf((v) => typeof v === "string" && isCountry(v));
