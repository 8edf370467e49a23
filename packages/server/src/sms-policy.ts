/**
 * The delivery policy for texts: the rules of the file that the configuration
 * names, then the route of the configuration for what no rule is for.
 */

import { isDeepStrictEqual } from "node:util";
import {
  DeliveryPolicy,
  type DeliveryPolicyData,
  type GuardRules,
  type PolicyRule,
  parseDeliveryPolicy,
  parseRouteLine,
  problemsWithPolicy,
  problemWithPolicyProviders,
  providersOf,
} from "@carillon/gateway";
import { readConfigText } from "./bounded-file.ts";
import { ConfigError, type ConfigMistake } from "./config-error.ts";
import { sandboxProviderName } from "./sms-settings.ts";
import { findSpendMistakes } from "./sms-spend-limits.ts";

/** Where the rules come from. Without both there is no policy. */
export interface SmsPolicySettings {
  readonly policyFile?: string | undefined;
  /** A line; parsed by the configuration. */
  readonly route?: string | undefined;
  /** Its limits on spend need the policy's prices. */
  readonly guard?: GuardRules;
}

/** What stands around the policy. */
export interface SmsPolicyPorts {
  /** Names of those that can send. */
  readonly providers: readonly string[];
  /** The policy that holds; answered again when the next one says the same. */
  readonly current?: DeliveryPolicy | undefined;
}

/** Name of the rule that `sms.route` makes. */
export const routeRuleName = "sms.route";

/**
 * Without both settings there is none.
 *
 * @throws ConfigError when the file cannot be read or is no policy, when rules
 * name providers that there are not, or when spend is limited without prices
 */
export function readSmsPolicy(
  settings: SmsPolicySettings,
  { providers, current }: SmsPolicyPorts,
): DeliveryPolicy | undefined {
  const { policy, mistakes } = readPolicy(settings, providers);
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  if (policy === undefined) return undefined;
  return policyOf(completed(parseDeliveryPolicy(policy)), current);
}

/**
 * All that is wrong with the file, and with limits that need its prices.
 *
 * @param providers absent: nobody knows which were meant
 */
export function findPolicyMistakes(
  settings: SmsPolicySettings,
  providers?: readonly string[],
): readonly ConfigMistake[] {
  return readPolicy(settings, providers).mistakes;
}

function readPolicy(
  settings: SmsPolicySettings,
  providers?: readonly string[],
): {
  /** Unchecked, with the route as its last rule. */
  readonly policy: unknown;
  readonly mistakes: readonly ConfigMistake[];
} {
  const { policyFile, guard } = settings;
  const route = routeFor(settings, providers);
  const spendMistakes = (file?: unknown) =>
    guard ? findSpendMistakes(guard, file) : [];
  if (policyFile === undefined) {
    const policy = route && { rules: [route] };
    return { policy, mistakes: spendMistakes() };
  }
  const toMistake = (problem: string): ConfigMistake => ({
    key: "sms.policyFile",
    source: "sms.policyFile",
    problem: `${policyFile}: ${problem}`,
  });
  let file: unknown;
  try {
    file = JSON.parse(readConfigText(policyFile));
  } catch (error) {
    const problem =
      error instanceof SyntaxError ? error.message : reasonOf(error);
    // Whether it has prices nobody knows.
    return { policy: undefined, mistakes: [toMistake(problem)] };
  }
  const policy = withRoute(file, route);
  const unknown = providers && problemWithPolicyProviders(file, providers);
  return {
    policy,
    mistakes: [
      ...problemsWithPolicy(policy).map(toMistake),
      ...(unknown === undefined ? [] : [toMistake(unknown)]),
      ...spendMistakes(file),
    ],
  };
}

/** Whether the file says something else, whatever the route is. */
export function isOtherFile(
  before: DeliveryPolicy | undefined,
  next: DeliveryPolicy | undefined,
): boolean {
  const ofFile = (policy: DeliveryPolicy | undefined) =>
    policy && {
      ...policy.data,
      rules: policy.data.rules.filter(({ name }) => name !== routeRuleName),
    };
  return !isDeepStrictEqual(ofFile(before), ofFile(next));
}

/**
 * The sandbox's phones take what no rule of the file is for, unless the route
 * names them: nothing is to leave the machine because of a setting for another.
 */
function routeFor(
  { route }: SmsPolicySettings,
  providers: readonly string[] = [],
): PolicyRule | undefined {
  if (route === undefined) return undefined;
  const isLeftOut =
    providers.includes(sandboxProviderName) &&
    !providersOf(parseRouteLine(route)).includes(sandboxProviderName);
  return isLeftOut ? undefined : { name: routeRuleName, use: route };
}

/** A file beside a route needs no rules of its own. Still unchecked. */
function withRoute(file: unknown, route: PolicyRule | undefined): unknown {
  if (!route || typeof file !== "object" || file === null) return file;
  const { rules = [] } = file as { readonly rules?: unknown };
  return Array.isArray(rules) ? { ...file, rules: [...rules, route] } : file;
}

/** With a ledger there is no reason not to heed a receipt that says failed. */
function completed(data: DeliveryPolicyData): DeliveryPolicyData {
  return { ...data, failover: { receipts: {}, ...data.failover } };
}

function policyOf(
  data: DeliveryPolicyData,
  current: DeliveryPolicy | undefined,
): DeliveryPolicy {
  return current && isDeepStrictEqual(current.data, data)
    ? current
    : new DeliveryPolicy(data, { replaces: current });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error ? `it cannot be read (${error.code})` : error.message;
}
