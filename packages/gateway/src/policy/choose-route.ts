/**
 * Who a message goes through: the provider it names, else the one the router names,
 * else the one that the router by recipient names, else those of the policy's first
 * matching rule, else the default. Sending, explaining and the attempts of a ledger are
 * all chosen here.
 */

import { describeValue } from "../describe-value.ts";
import { ConfigurationError } from "../errors.ts";
import type { OutgoingMessage } from "../outgoing-message.ts";
import type { DeliveryPolicy, RouteCandidate } from "./delivery-policy.ts";
import type { RuleVerdict } from "./match-rule.ts";

/**
 * Names a provider for a message, from the values given to `route`. Anything
 * empty leaves it to the policy or the default provider. May change the
 * message: it is the place to add options by kind of traffic.
 */
export type Router<Route extends readonly unknown[]> = (
  message: OutgoingMessage<Route>,
  ...values: Route
) => RouterResult | Promise<RouterResult>;

/**
 * The provider's name; nothing leaves the choice to the policy or the default.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a router may return nothing
export type RouterResult = string | null | undefined | void;

export type ChosenRoute =
  | {
      readonly by: "explicit" | "router" | "default";
      /** Whether there is one of this name is not checked. */
      readonly provider: string;
      readonly considered: readonly RuleVerdict[];
    }
  | {
      readonly by: "policy";
      readonly policy: DeliveryPolicy;
      readonly rule: string;
      /** In the order in which they are tried. */
      readonly candidates: readonly RouteCandidate[];
      readonly considered: readonly RuleVerdict[];
    }
  /** Nobody named a provider, and the gateway has none. */
  | { readonly by: null; readonly considered: readonly RuleVerdict[] };

export interface ChooseRoutePorts {
  /** Called with the values given to `route`, if it was called. */
  readonly router: Router<readonly unknown[]>;
  /** By recipient; asked for all that name no provider. */
  readonly askRouter:
    | ((message: OutgoingMessage) => Promise<string | undefined>)
    | undefined;
  readonly policy: DeliveryPolicy | undefined;
  readonly defaultProvider: string | null;
}

/**
 * The router may change the message.
 *
 * @throws RouterError
 */
export async function chooseRoute(
  message: OutgoingMessage,
  { router, askRouter, policy, defaultProvider }: ChooseRoutePorts,
): Promise<ChosenRoute> {
  // Callers without types leave it undefined.
  const named = message.provider ?? null;
  if (named !== null) {
    return { by: "explicit", provider: named, considered: [] };
  }
  if (message.routingValues !== null) {
    const provider = await router(message, ...message.routingValues);
    if (typeof provider === "string" && provider !== "") {
      return { by: "router", provider, considered: [] };
    }
    if (provider) {
      throw new ConfigurationError(
        "A router must return the name of a provider, " +
          `got ${describeValue(provider)}`,
      );
    }
  }
  const routed = await askRouter?.(message);
  if (routed !== undefined) {
    return { by: "router", provider: routed, considered: [] };
  }
  const plan = policy?.plan(message);
  if (policy !== undefined && plan !== undefined && plan.rule !== null) {
    return { by: "policy", policy, ...plan, rule: plan.rule };
  }
  const considered = plan?.considered ?? [];
  return defaultProvider === null
    ? { by: null, considered }
    : { by: "default", provider: defaultProvider, considered };
}
