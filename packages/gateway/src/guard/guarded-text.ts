/** From a message and where it would go to what a guard looks at. */

import { analyze } from "../encoding/analyze.ts";
import type { TextLimits } from "../encoding/text-limits.ts";
import type { OutgoingMessage } from "../outgoing-message.ts";
import { internationalDigits } from "../phone-number.ts";
import {
  type AttemptRoute,
  notSent,
  type TriedProvider,
} from "../policy/attempt-route.ts";
import type { ChosenRoute } from "../policy/choose-route.ts";
import type { Provider } from "../provider.ts";
import type { GuardedText } from "./guard.ts";
import { type GuardRules, limitsSpend } from "./guard-rules.ts";

/** Whose text it is, for a guard. */
export interface AttemptContext {
  /** Who sends it: limits and sequences of projects are apart. */
  readonly project?: string;
  /** Names the text, so that it is counted once before it is sent. */
  readonly text?: string;
}

export interface GuardedTextPorts {
  readonly rules: GuardRules;
  /** Of prices. */
  readonly currency?: string | undefined;
  find(name: string): Provider | undefined;
  limitsOf(provider: Provider | undefined): TextLimits | null;
}

/** `undefined`: no carrier stands behind any that the message may go to. */
export function guardedSend(
  message: OutgoingMessage,
  route: ChosenRoute,
  ports: GuardedTextPorts,
): GuardedText | undefined {
  if (route.by === null) return undefined;
  const candidates = route.by === "policy" ? route.candidates : [route];
  for (const candidate of candidates) {
    const provider = ports.find(candidate.provider);
    if (!provider?.reachesPhones) continue;
    const { costPerSegment } =
      "costPerSegment" in candidate ? candidate : { costPerSegment: undefined };
    return toGuardedText(message, provider, costPerSegment, ports);
  }
  return undefined;
}

/** The same of the provider of one attempt, given what was tried before. */
export function guardedAttempt(
  message: OutgoingMessage,
  { target, costPerSegment }: AttemptRoute,
  tried: readonly TriedProvider[],
  { project, text }: AttemptContext,
  ports: GuardedTextPorts,
): GuardedText | undefined {
  if (!target?.reachesPhones) return undefined;
  const last = tried.at(-1);
  return {
    ...toGuardedText(message, target, costPerSegment, ports),
    ...(project !== undefined && { project }),
    ...(text !== undefined && { attempt: `${text}/${tried.length}` }),
    // A carrier was to get it, and did not take it.
    isCounted:
      last?.provider !== undefined &&
      notSent.has(last.outcome) &&
      ports.find(last.provider)?.reachesPhones === true,
  };
}

/** A text through that provider, whoever chose it. */
export function toGuardedText(
  message: OutgoingMessage,
  provider: Provider,
  costPerSegment: number | undefined,
  { rules, currency, limitsOf }: GuardedTextPorts,
): GuardedText {
  return {
    digits: internationalDigits(message.dst),
    messageClass: message.providerOptions.messageClass,
    ...(costPerSegment !== undefined &&
      limitsSpend(rules) && {
        cost: costPerSegment * segmentsOf(message, limitsOf(provider)),
        ...(currency !== undefined && { currency }),
      }),
  };
}

/** By the provider's limits, which may write the text in other characters. */
function segmentsOf(
  { body }: OutgoingMessage,
  limits: TextLimits | null,
): number {
  return analyze(body, { ...limits, encoding: "auto" }).segments;
}
