/**
 * Answers "where would this message go, and why?" without sending it: for
 * support, for dry runs, and for reading a policy one did not write.
 */

import { analyze } from "../encoding/analyze.ts";
import type { TextLimits } from "../encoding/text-limits.ts";
import { prepareText } from "../encoding/text-limits.ts";
import { RequestError } from "../errors.ts";
import type { OptOut } from "../opt-out/opt-out.ts";
import type { OutgoingMessage, ProviderChoice } from "../outgoing-message.ts";
import type { BreakerState } from "./breaker.ts";
import type { DeliveryPolicy, RoutePlan } from "./delivery-policy.ts";
import type { RuleVerdict } from "./match-rule.ts";

export interface Explanation {
  /** Null when nothing could be chosen; `problems` tells why. */
  readonly provider: string | null;
  readonly by: ProviderChoice["by"] | null;
  /** The policy rule that chose. */
  readonly rule: string | null;
  /** For people. */
  readonly reason: string;
  /** Every rule that was looked at. */
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

export interface CandidateExplanation {
  readonly provider: string;
  readonly sender: string | undefined;
  readonly breaker: BreakerState;
  readonly estimatedCost: EstimatedCost | undefined;
}

export interface EstimatedCost {
  readonly amount: number;
  readonly currency: string | undefined;
}

export interface ExplainPorts {
  readonly router: (
    message: OutgoingMessage,
    ...values: readonly unknown[]
  ) => unknown;
  readonly policy: DeliveryPolicy | undefined;
  readonly optOut: OptOut | undefined;
  readonly defaultProvider: string | null;
  hasProvider(name: string): boolean;
  textLimits(provider: string): TextLimits | null;
}

export async function explain(
  original: OutgoingMessage,
  ports: ExplainPorts,
): Promise<Explanation> {
  // A router may change the message, so it gets one that nobody else holds.
  const message = original.clone();
  const problems: string[] = [];
  const chosen = await choose(message, ports);
  const { plan } = chosen;

  const expected = chosen.candidates[0]?.provider;
  const limits = expected === undefined ? null : ports.textLimits(expected);
  const text = analyze(message.body, { ...limits, encoding: "auto" });
  const costOf = (perSegment: number | undefined): EstimatedCost | undefined =>
    perSegment === undefined
      ? undefined
      : {
          amount: perSegment * text.segments,
          currency: ports.policy?.data.currency,
        };
  const candidates = chosen.candidates.map((candidate) => ({
    provider: candidate.provider,
    sender: candidate.sender,
    breaker: ports.policy?.breakerState(candidate.provider) ?? "closed",
    estimatedCost: costOf(candidate.costPerSegment),
  }));
  // A policy passes over providers with an open breaker; nobody else does.
  const first =
    chosen.by === "policy"
      ? candidates.find((c) => c.breaker !== "open")
      : candidates[0];
  if (first === undefined) {
    problems.push(
      chosen.by === "policy"
        ? "the breakers of all its providers are open"
        : "the gateway has no provider",
    );
  } else if (!ports.hasProvider(first.provider)) {
    problems.push(`no provider is called "${first.provider}"`);
  } else {
    message.src ??= first.sender ?? null;
    problems.push(...(await findProblems(message, first.provider, ports)));
  }
  return {
    provider: first?.provider ?? null,
    by: first === undefined ? null : chosen.by,
    rule: plan?.rule ?? null,
    reason: chosen.reason,
    considered: plan?.considered ?? [],
    candidates,
    encoding: text.encoding,
    segments: text.segments,
    estimatedCost: first?.estimatedCost,
    problems,
  };
}

interface Chosen {
  readonly by: ProviderChoice["by"];
  readonly reason: string;
  readonly candidates: RoutePlan["candidates"];
  readonly plan?: RoutePlan;
}

async function choose(
  message: OutgoingMessage,
  ports: ExplainPorts,
): Promise<Chosen> {
  if (message.provider !== null) {
    const candidates = [{ provider: message.provider }];
    const reason = "the message names its provider";
    return { by: "explicit", reason, candidates };
  }
  if (message.routingValues !== null) {
    const name = await ports.router(message, ...message.routingValues);
    if (typeof name === "string" && name !== "") {
      const candidates = [{ provider: name }];
      const reason = "the router named it";
      return { by: "router", reason, candidates };
    }
  }
  const plan = ports.policy?.plan(message);
  if (plan !== undefined && plan.rule !== null) {
    const { candidates } = plan;
    const why = plan.considered.at(-1)?.reason;
    const reason = `rule "${plan.rule}" matched: ${why}`;
    return { by: "policy", reason, candidates, plan };
  }
  const provider = ports.defaultProvider;
  return {
    by: "default",
    reason: "it is the default provider",
    candidates: provider === null ? [] : [{ provider }],
    ...(plan === undefined ? {} : { plan }),
  };
}

async function findProblems(
  message: OutgoingMessage,
  provider: string,
  ports: ExplainPorts,
): Promise<string[]> {
  const problems: string[] = [];
  const limits = ports.textLimits(provider);
  try {
    if (limits !== null) prepareText(message.body, limits);
    await ports.optOut?.check(message);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    problems.push(error.message);
  }
  return problems;
}
