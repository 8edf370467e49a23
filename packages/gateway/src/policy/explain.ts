/**
 * Answers "where would this message go, and why?" without sending it: for
 * support, for dry runs, and for reading a policy one did not write.
 */

import { RouterError } from "../backend/recipient-router.ts";
import { analyze, type TextAnalysis } from "../encoding/analyze.ts";
import type { TextLimits } from "../encoding/text-limits.ts";
import { prepareText } from "../encoding/text-limits.ts";
import { RequestError } from "../errors.ts";
import type { Hold } from "../guard/hold.ts";
import type { OptOut } from "../opt-out/opt-out.ts";
import type { OutgoingMessage, ProviderChoice } from "../outgoing-message.ts";
import type { BreakerState } from "./breaker.ts";
import type { ChosenRoute } from "./choose-route.ts";
import type { DeliveryPolicy, RouteCandidate } from "./delivery-policy.ts";
import type { RuleVerdict } from "./match-rule.ts";

/** Which provider a message would go through, and why. */
export interface Explanation {
  /** Null when nothing could be chosen; see `problems`. */
  readonly provider: string | null;
  readonly by: ProviderChoice["by"] | null;
  /** The policy rule that chose. */
  readonly rule: string | null;
  /** The line of that rule. */
  readonly use: string | null;
  /** Whether the order is the same each time; else it was drawn for this one. */
  readonly sticky: boolean;
  /** For people. */
  readonly reason: string;
  /** Every rule of the policy, in order, unless none was looked at. */
  readonly considered: readonly RuleVerdict[];
  /** Who would be tried, in order; one entry unless a policy chose. */
  readonly candidates: readonly CandidateExplanation[];
  readonly encoding: "gsm7" | "ucs2";
  readonly segments: number;
  /** Undefined when the policy gives no price. */
  readonly estimatedCost: EstimatedCost | undefined;
  /** What would make `send` reject. */
  readonly problems: readonly string[];
}

/** A provider that could be chosen, and what speaks for or against it. */
export interface CandidateExplanation {
  readonly provider: string;
  /** The message's own, else that of the rule. */
  readonly sender: string | undefined;
  readonly breaker: BreakerState;
  /** Passed over, or the reason to wait. */
  readonly paused: boolean;
  readonly estimatedCost: EstimatedCost | undefined;
}

/** What a message would cost in all its segments. */
export interface EstimatedCost {
  readonly amount: number;
  readonly currency: string | undefined;
}

export interface ExplainPorts {
  chooseRoute(message: OutgoingMessage): Promise<ChosenRoute>;
  readonly policy: DeliveryPolicy | undefined;
  readonly optOut: OptOut | undefined;
  hasProvider(name: string): boolean;
  isPaused(name: string): boolean;
  textLimits(provider: string): TextLimits | null;
  /** What the guard would hold it for, through that provider. Counts nothing. */
  findHold(
    message: OutgoingMessage,
    provider: string,
    costPerSegment: number | undefined,
  ): Promise<Hold | undefined>;
}

export async function explain(
  original: OutgoingMessage,
  ports: ExplainPorts,
): Promise<Explanation> {
  // A router may change the message, so it gets one that nobody else holds.
  const message = original.clone();
  const problems: string[] = [];
  const route = await ports.chooseRoute(message).catch((error: unknown) => {
    if (!(error instanceof RouterError)) throw error;
    problems.push(error.message);
    return { by: null, considered: [] } as const;
  });
  const routed = candidatesOf(route);

  // By the limits of each, which may write the text in other characters.
  const analyzeFor = (provider: string | undefined): TextAnalysis => {
    const limits = provider === undefined ? null : ports.textLimits(provider);
    return analyze(message.body, { ...limits, encoding: "auto" });
  };
  const costOf = (candidate: RouteCandidate): EstimatedCost | undefined => {
    const { provider } = candidate;
    const {
      costPerSegment = ports.policy?.findProvider(provider)?.costPerSegment,
    } = candidate;
    if (costPerSegment === undefined) return undefined;
    const amount = costPerSegment * analyzeFor(provider).segments;
    // Not 0.15000000000000002: no price has more than nine decimals.
    return {
      amount: Number(amount.toFixed(9)),
      currency: ports.policy?.data.currency,
    };
  };
  const ownSender = message.providerOptions.senderId ?? message.src;
  const candidates = routed.map((candidate) => ({
    provider: candidate.provider,
    sender: ownSender ?? candidate.sender,
    breaker: ports.policy?.breakerState(candidate.provider) ?? "closed",
    paused: ports.isPaused(candidate.provider),
    estimatedCost: costOf(candidate),
  }));
  // A policy passes over providers that are paused or have an open breaker;
  // nobody else does.
  const first =
    route.by === "policy"
      ? candidates.find((c) => !c.paused && c.breaker !== "open")
      : candidates[0];
  if (first === undefined && problems.length === 0) {
    problems.push(
      route.by === "policy"
        ? "all its providers are paused, or their breakers are open"
        : "the gateway has no provider",
    );
  } else if (first === undefined) {
    // The router's problem is said above.
  } else if (!ports.hasProvider(first.provider)) {
    problems.push(`no provider is called "${first.provider}"`);
  } else if (first.paused) {
    problems.push(`the provider "${first.provider}" is paused`);
  } else {
    const chosen = routed.find((it) => it.provider === first.provider);
    message.src ??= chosen?.sender ?? null;
    const hold = await ports.findHold(
      message,
      first.provider,
      chosen?.costPerSegment,
    );
    if (hold !== undefined) problems.push(hold.error);
    problems.push(...(await findProblems(message, first.provider, ports)));
  }
  const text = analyzeFor(first?.provider);
  const rule = route.by === "policy" ? route.rule : null;
  const rules = ports.policy?.data.rules ?? [];
  const chosenRule = rules.find(({ name }) => name === rule);
  return {
    provider: first?.provider ?? null,
    by: first === undefined ? null : route.by,
    rule,
    use: chosenRule?.use ?? null,
    sticky: chosenRule?.sticky ?? false,
    reason: reasonFor(route),
    considered: [
      ...route.considered,
      ...(rule === null
        ? []
        : rules.slice(route.considered.length).map(({ name }) => ({
            rule: name,
            matched: false,
            reason: `rule "${rule}" comes before it`,
          }))),
    ],
    candidates,
    encoding: text.encoding,
    segments: text.segments,
    estimatedCost: first?.estimatedCost,
    problems,
  };
}

function candidatesOf(route: ChosenRoute): readonly RouteCandidate[] {
  if (route.by === null) return [];
  return route.by === "policy" ? route.candidates : [route];
}

function reasonFor(route: ChosenRoute): string {
  switch (route.by) {
    case "explicit":
      return "the message names its provider";
    case "router":
      return "the router named it";
    case "policy":
      return `rule "${route.rule}" matched: ${route.considered.at(-1)?.reason}`;
    case "default":
      return "it is the default provider";
    case null:
      return "nobody named a provider, and there is no default";
    default:
      return route satisfies never;
  }
}

async function findProblems(
  message: OutgoingMessage,
  provider: string,
  ports: ExplainPorts,
): Promise<string[]> {
  const problems: string[] = [];
  const limits = ports.textLimits(provider);
  try {
    prepareText(message.body, limits);
    await ports.optOut?.check(message);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    problems.push(error.message);
  }
  return problems;
}
