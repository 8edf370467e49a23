/**
 * What becomes of each recipient of a range: filtered, put off to a row of its
 * own, or tried now. Grows into the list that ends the range.
 */

import { cancelReasons } from "../messages/claim-decision.ts";
import type { DeliveryOutcome } from "../messages/delivery.ts";
import type { Message } from "../messages/message.ts";
import {
  defaultUrgency,
  type Urgency,
  urgencyOf,
} from "../messages/urgency.ts";
import type { ChannelKind, Recipient } from "../ports/channel.ts";
import type { Clock } from "../ports/clock.ts";
import type { RangeOutcome } from "../ports/work-store.ts";
import { addMs, type EpochMs } from "../time.ts";
import type { EngineLeases } from "./engine-leases.ts";
import type { Escalation } from "./escalation.ts";
import {
  expiryOf,
  type OutcomeRules,
  outcomeWithoutAttempt,
  type SendItem,
} from "./outcome.ts";
import type { SendReport, SlowAttempt } from "./send-batch.ts";

export interface RangeOutcomesContext {
  readonly clock: Clock;
  readonly leases: EngineLeases;
  readonly rules: OutcomeRules;
  /** How messages come to recipients of a protocol; `undefined`: they do not. */
  readonly kindOf: (protocol: Recipient["protocol"]) => ChannelKind | undefined;
  readonly laneRetryMs: number;
}

interface FinalOutcome {
  readonly item: SendItem;
  readonly outcome: DeliveryOutcome;
}

export class RangeOutcomes {
  /** All so far, as they are to be written. */
  readonly all: RangeOutcome[] = [];
  /** Those of deliveries that nothing more is made of now. */
  readonly final: FinalOutcome[] = [];
  readonly slowAttempts: SlowAttempt<SendItem>[] = [];
  /** When the first of those that were put off is due. */
  deferredUntil: EpochMs | undefined;
  readonly #context: RangeOutcomesContext;
  readonly #message: Message;
  readonly #escalation: Escalation | undefined;
  /** Of rows that go on; `undefined`: what the store takes them to be. */
  readonly #urgency: Urgency | undefined;

  constructor(
    context: RangeOutcomesContext,
    message: Message,
    escalation: Escalation | undefined,
  ) {
    this.#context = context;
    this.#message = message;
    this.#escalation = escalation;
    const urgency = urgencyOf(message);
    this.#urgency = urgency === defaultUrgency ? undefined : urgency;
  }

  /**
   * Answers those to try now; the others have their outcomes after this.
   *
   * @param reasonToFilter why a recipient does not get the message, if so
   */
  sort(
    audience: readonly Recipient[],
    reasonToFilter: (recipient: Recipient) => string | undefined,
  ): SendItem[] {
    const { clock, kindOf } = this.#context;
    const items: SendItem[] = [];
    for (const recipient of audience) {
      const item = {
        message: this.#message,
        recipient,
        state: "waiting",
        attempts: 0,
      } as const;
      if (recipient.cancelled) {
        this.finish(item, cancelled(item, clock.now()));
        continue;
      }
      const reason = reasonToFilter(recipient);
      if (reason !== undefined) {
        this.finish(item, filtered(item, reason, clock.now()));
        continue;
      }
      const round = this.#escalation?.roundOf(recipient) ?? 1;
      const kind = kindOf(recipient.protocol);
      if (kind === "pull") {
        this.#leaveToSubscriber(item);
        continue;
      }
      const billable = kind === "billable";
      if (this.#escalation && round > 1) {
        // Its claim finds out whether it is still needed.
        this.#defer(item, this.#escalation.beginOf(round), billable);
      } else if (billable) {
        // Only a claim, whose intent is on disk, may start what costs money.
        this.#defer(item, clock.now(), billable);
      } else items.push(item);
    }
    return items;
  }

  /** What the sender said of those that were to be tried. */
  add({ finished, unstarted, slowAttempts }: SendReport<SendItem>): void {
    const { clock, rules, laneRetryMs, leases } = this.#context;
    for (const { item, outcome } of finished) this.finish(item, outcome);
    for (const { item, factor } of unstarted) {
      const waitMs = laneRetryMs * factor * (1 + rules.random());
      this.#defer(item, addMs(clock.now(), waitMs), false);
    }
    for (const slow of slowAttempts) {
      this.slowAttempts.push(slow);
      this.#push(slow.item, {
        ...deliveryOf(slow.item),
        state: "sending",
        attempts: 0,
        lastAttempt: { at: slow.startedAt, durationMs: 0 },
        lease: leases.lease,
      });
    }
  }

  finish(item: SendItem, outcome: DeliveryOutcome): void {
    this.final.push({ item, outcome });
    this.#push(item, outcome);
    this.#wakeAt(outcome.nextAttemptAt);
  }

  #defer(item: SendItem, nextAttemptAt: EpochMs, billable: boolean): void {
    this.#push(item, {
      ...deliveryOf(item),
      state: "waiting",
      attempts: 0,
      nextAttemptAt,
      ...(billable && { billable }),
    });
    this.#wakeAt(nextAttemptAt);
  }

  /** No engine is to look at it again: it wakes nobody. */
  #leaveToSubscriber(item: SendItem): void {
    const { mailbox } = item.recipient;
    if (mailbox === undefined) {
      throw new Error(`Subscription ${item.recipient.target} has no mailbox.`);
    }
    const { orderingKey } = this.#message;
    this.#push(item, {
      ...deliveryOf(item),
      state: "waiting",
      attempts: 0,
      pull: {
        mailbox,
        expiresAt: expiryOf(item, this.#context.rules),
        ...(orderingKey !== undefined && { orderingKey }),
      },
    });
  }

  #push(item: SendItem, outcome: RangeOutcome): void {
    const round = this.#escalation?.roundOf(item.recipient);
    const goesOn = outcome.nextAttemptAt !== undefined || outcome.lease;
    const urgency = goesOn ? this.#urgency : undefined;
    if (round === undefined && urgency === undefined) {
      this.all.push(outcome);
      return;
    }
    this.all.push({
      ...outcome,
      ...(round !== undefined && { round }),
      ...(urgency !== undefined && { urgency }),
    });
  }

  #wakeAt(at: EpochMs | undefined): void {
    if (at === undefined) return;
    if (this.deferredUntil === undefined || at < this.deferredUntil) {
      this.deferredUntil = at;
    }
  }
}

function deliveryOf({ message, recipient }: SendItem) {
  return { messageSeq: message.seq, target: recipient.target };
}

function filtered(item: SendItem, error: string, now: EpochMs) {
  const reason = { errorClass: "filtered", error } as const;
  return outcomeWithoutAttempt(item, "filter", reason, now);
}

function cancelled(item: SendItem, now: EpochMs) {
  const { topic_deleted: error = "" } = cancelReasons;
  return outcomeWithoutAttempt(item, "cancel", { error }, now);
}
