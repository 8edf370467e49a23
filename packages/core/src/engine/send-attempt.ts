/** One attempt on its way through the sender, and its hand-over to the channel. */

import type { DeliveryOutcome } from "../messages/delivery.ts";
import type {
  AttemptSignals,
  Channel,
  PreparedMessage,
} from "../ports/channel.ts";
import type { EpochMs } from "../time.ts";
import type { DeadlineEntry } from "./deadline-queue.ts";
import type { LanePlace } from "./lanes.ts";
import type { SendItem } from "./outcome.ts";
import type { PreparedMessages } from "./prepared.ts";
import type { SendBatch } from "./send-batch.ts";

/** Who decides over attempts whose time is up. */
export interface AttemptOwner {
  /** Aborted when no attempt is waited for any more. */
  readonly abandoned: AbortSignal;
  expire(attempt: SendAttempt): void;
  /** How long a delivery still lives, in milliseconds; 0 when it is over. */
  lifeLeftMs(item: SendItem): number;
}

export class SendAttempt implements DeadlineEntry<SendAttempt>, AttemptSignals {
  readonly item: SendItem;
  readonly batch: SendBatch;
  readonly channel: Channel;
  readonly #owner: AttemptOwner;
  /** What bounds it together with other attempts. */
  readonly place: LanePlace;
  phase: "queued" | "running" | "slow" | "done" = "queued";
  startedAt: EpochMs = 0 as EpochMs; // Zero is an instant; set at the start.
  startedMonotonic = 0;
  /** How often its time in the queue was up. */
  waits = 0;
  /** Counted in the slots; slow attempts are counted apart. */
  holdsSlot = true;
  /** Its endpoint did not answer the last time. */
  wasSilent = false;
  /** Has a place in its lane, and waits for a slot. */
  hasPlace = false;
  /** The channel was asked to deliver: from here on it may have gone out. */
  isHandedOver = false;
  late: PromiseWithResolvers<DeliveryOutcome> | undefined = undefined;
  deadlineAt = 0;
  earlier: SendAttempt | undefined = undefined;
  later: SendAttempt | undefined = undefined;
  /** Made when the channel reads its signal. */
  #controller: AbortController | undefined = undefined;
  #isGivenUp = false;

  constructor(
    item: SendItem,
    batch: SendBatch,
    channel: Channel,
    owner: AttemptOwner,
    place: LanePlace,
  ) {
    this.item = item;
    this.batch = batch;
    this.channel = channel;
    this.#owner = owner;
    this.place = place;
  }

  get engineSignal(): AbortSignal {
    return this.#owner.abandoned;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      const { abandoned } = this.#owner;
      if (abandoned.aborted) this.#controller.abort(abandoned.reason);
      else if (this.#isGivenUp) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  get lifeLeftMs(): number {
    return this.#owner.lifeLeftMs(this.item);
  }

  expire(): void {
    this.#owner.expire(this);
  }

  /** Ends the channel's work on it: its answer is not waited for any more. */
  giveUp(reason?: unknown): void {
    this.#isGivenUp = true;
    this.#controller?.abort(reason);
  }
}

/** A message was not prepared, so nothing of it can have gone out. */
export class PreparationError extends Error {
  override readonly name = "PreparationError";

  constructor(cause: unknown) {
    super("The message could not be prepared.", { cause });
  }
}

/** Rejects, never throws, whatever the channel does. */
export function deliver(
  messages: PreparedMessages,
  attempt: SendAttempt,
): Promise<unknown> {
  const { item, channel } = attempt;
  let ready: PreparedMessage | Promise<PreparedMessage>;
  try {
    ready = messages.get(item.message, channel);
  } catch (cause) {
    return Promise.reject(new PreparationError(cause));
  }
  if (ready instanceof Promise) return deliverWhenReady(ready, attempt);
  attempt.isHandedOver = true;
  try {
    return Promise.resolve(ready.deliver(item.recipient, attempt, item.route));
  } catch (error) {
    return Promise.reject(error);
  }
}

async function deliverWhenReady(
  preparing: Promise<PreparedMessage>,
  attempt: SendAttempt,
): Promise<unknown> {
  let prepared: PreparedMessage;
  try {
    prepared = await preparing;
  } catch (cause) {
    throw new PreparationError(cause);
  }
  // Its time was up meanwhile: another attempt is planned.
  if (attempt.phase === "done") return undefined;
  attempt.isHandedOver = true;
  const { recipient, route } = attempt.item;
  return prepared.deliver(recipient, attempt, route);
}
