/**
 * Sends a message again through the next provider when its receipt says that
 * it failed, or when none comes. Kept in memory: after a restart nobody
 * watches the messages of before; a store that does is the application's.
 */

import type { Clock, Timer } from "../clock.ts";
import type { Hook } from "../hook.ts";
import type { MessageStatus } from "../message-status.ts";
import type { OutgoingMessage } from "../outgoing-message.ts";
import type { RouteCandidate } from "./delivery-policy.ts";
import type { ReceiptFailoverPolicy } from "./policy-data.ts";

/** A message that was sent again, or could not be. */
export interface FailoverEvent {
  readonly reason: "failed" | "silent";
  /** The message that did not arrive. */
  readonly original: OutgoingMessage;
  /** A new message with the same content: sent, unless `error` is set. */
  readonly resent: OutgoingMessage;
  /** The receipt, for `failed`. */
  readonly status?: MessageStatus;
  /** Why it could not be sent again. */
  readonly error?: unknown;
}

export interface ReceiptFailoverPorts {
  readonly clock: Clock;
  readonly onFailover: Hook<FailoverEvent> | undefined;
  send(
    message: OutgoingMessage,
    candidates: readonly RouteCandidate[],
    rule: string,
  ): Promise<OutgoingMessage>;
}

/** An accepted message, and how it may be sent again. */
export interface AcceptedMessage {
  readonly message: OutgoingMessage;
  /** Who is left to try. */
  readonly candidates: readonly RouteCandidate[];
  readonly rule: string;
  /** When its provider was given it; monotonic. */
  readonly startedAt: number;
}

interface Tracked {
  readonly message: OutgoingMessage;
  readonly candidates: readonly RouteCandidate[];
  readonly rule: string;
  /** Monotonic. */
  readonly deadline: number;
}

interface EarlyStatus {
  readonly status: MessageStatus;
  /** Monotonic. */
  readonly at: number;
}

const EARLY_STATUSES = 1000;

export class ReceiptFailover {
  readonly #policy: ReceiptFailoverPolicy;
  readonly #ports: ReceiptFailoverPorts;
  // In order of deadline, as all wait equally long.
  readonly #tracked = new Map<string, Tracked>();
  // Final statuses that came before their message was known to be sent.
  readonly #early = new Map<string, EarlyStatus>();
  readonly #pending = new Set<Promise<void>>();
  #timer: Timer | undefined;
  #running = false;

  constructor(policy: ReceiptFailoverPolicy, ports: ReceiptFailoverPorts) {
    this.#policy = policy;
    this.#ports = ports;
  }

  /** Watches a sent message, if receipts were asked for and others are left. */
  track({ message, candidates, rule, startedAt }: AcceptedMessage): void {
    if (!this.#running) return;
    const key = keyOf(
      message.choice?.provider ?? message.provider,
      message.msgid,
    );
    // One from before it was sent is of another message: ids come again.
    const early = this.#early.get(key);
    this.#early.delete(key);
    if (!message.providerOptions.statusReport || candidates.length === 0) {
      return;
    }
    const { silentMinutes, maxTracked = 10_000 } = this.#policy;
    const wait =
      silentMinutes === undefined ? Infinity : silentMinutes * 60_000;
    const deadline = this.#ports.clock.monotonic() + wait;
    // Deleted first, so that it stands where its deadline belongs.
    this.#tracked.delete(key);
    this.#tracked.set(key, { message, candidates, rule, deadline });
    if (this.#tracked.size > maxTracked) removeOldest(this.#tracked);
    if (early !== undefined && early.at >= startedAt) {
      this.#settle(key, early.status);
    }
    this.#schedule();
  }

  /** Looks at a status, after the hooks did. */
  handle(status: MessageStatus): void {
    if (!this.#running || !status.isFinal) return;
    const key = keyOf(status.entry ?? status.provider, status.msgid);
    if (this.#tracked.has(key)) {
      this.#settle(key, status);
    } else {
      const at = this.#ports.clock.monotonic();
      this.#early.delete(key);
      this.#early.set(key, { status, at });
      if (this.#early.size > EARLY_STATUSES) removeOldest(this.#early);
    }
  }

  /** From now on messages are watched. */
  start(): void {
    this.#running = true;
    this.#schedule();
  }

  /** Watches nothing any longer, and waits for what is being sent again. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#tracked.clear();
    this.#early.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
    await Promise.all(this.#pending);
  }

  #settle(key: string, status: MessageStatus): void {
    const tracked = this.#tracked.get(key);
    this.#tracked.delete(key);
    if (tracked === undefined || status.delivered) return;
    if (this.#policy.onFailed === false) return;
    this.#resend(tracked, "failed", status);
  }

  #schedule(): void {
    if (!this.#running || this.#timer !== undefined) return;
    const [next] = this.#tracked.values();
    if (next === undefined || next.deadline === Infinity) return;
    const { clock } = this.#ports;
    const delay = Math.max(0, next.deadline - clock.monotonic());
    this.#timer = clock.setTimer(delay, () => {
      this.#timer = undefined;
      this.#sweep();
      this.#schedule();
    });
  }

  #sweep(): void {
    const now = this.#ports.clock.monotonic();
    for (const [key, tracked] of this.#tracked) {
      if (tracked.deadline > now) return;
      this.#tracked.delete(key);
      this.#resend(tracked, "silent");
    }
  }

  // Runs on its own: the carrier whose receipt led here waits for its answer.
  #resend(
    tracked: Tracked,
    reason: FailoverEvent["reason"],
    status?: MessageStatus,
  ): void {
    const resent = tracked.message.clone();
    const event = {
      reason,
      original: tracked.message,
      resent,
      ...(status === undefined ? {} : { status }),
    };
    const work = this.#ports
      .send(resent, tracked.candidates, tracked.rule)
      .then(
        () => this.#ports.onFailover?.emit(event),
        (error: unknown) => this.#ports.onFailover?.emit({ ...event, error }),
      )
      .catch(() => {
        // A hook failed, and there is no caller left that could handle it.
      })
      .finally(() => this.#pending.delete(work));
    this.#pending.add(work);
  }
}

function keyOf(provider: string | null, msgid: string | null): string {
  return `${provider}\0${msgid}`;
}

function removeOldest(map: Map<string, unknown>): void {
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
