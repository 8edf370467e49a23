/** Whether a rule of a delivery policy applies to a message, and why not. */

import type { OutgoingMessage } from "../outgoing-message.ts";
import { internationalDigits } from "../phone-number.ts";
import { senderKey } from "../sender-key.ts";
import { countryOf } from "./country.ts";
import type { PolicyRule } from "./policy-data.ts";

/** What one rule said about a message. */
export interface RuleVerdict {
  readonly rule: string;
  readonly matched: boolean;
  /** For people. */
  readonly reason: string;
}

export function matchRule(
  rule: PolicyRule,
  message: OutgoingMessage,
): RuleVerdict {
  const { prefix, country, class: classes, sender: senders } = rule.when ?? {};
  const number = internationalDigits(message.dst);
  const reasons: string[] = [];
  const refuse = (reason: string): RuleVerdict => {
    return { rule: rule.name, matched: false, reason };
  };

  if (prefix !== undefined) {
    const found = prefix.find((digits) =>
      number.startsWith(internationalDigits(digits)),
    );
    if (found === undefined) {
      return refuse(`the number begins with none of ${prefix.join(", ")}`);
    }
    reasons.push(`the number begins with ${found}`);
  }
  if (country !== undefined) {
    const actual = countryOf(number);
    if (actual === undefined || !country.includes(actual)) {
      return refuse(
        `the country is ${actual ?? "unknown"}, not ${country.join(" or ")}`,
      );
    }
    reasons.push(`the country is ${actual}`);
  }
  if (classes !== undefined) {
    const actual = message.providerOptions.messageClass;
    if (actual === null || !classes.includes(actual)) {
      return refuse(
        `the class is ${actual ?? "not set"}, not ${classes.join(" or ")}`,
      );
    }
    reasons.push(`the class is ${actual}`);
  }
  if (senders !== undefined) {
    // Of the two the first wins when it is sent.
    const actual = message.providerOptions.senderId ?? message.src;
    const key = actual === null ? undefined : senderKey(actual);
    if (!senders.some((sender) => senderKey(sender) === key)) {
      return refuse(
        `the sender is ${actual ?? "not set"}, not ${senders.join(" or ")}`,
      );
    }
    reasons.push(`the sender is ${actual}`);
  }
  const reason = reasons.join(", ") || "the rule applies to every message";
  return { rule: rule.name, matched: true, reason };
}
