/**
 * The last steps of sending, once it is known who may do it: checks, the
 * provider's turn, failover along the candidates of a policy, and the hook.
 */

import type { Clock } from "./clock.ts";
import { prepareText, type TextLimits } from "./encoding/text-limits.ts";
import {
  ConfigurationError,
  ProviderError,
  ProviderPausedError,
} from "./errors.ts";
import type { Hook } from "./hook.ts";
import type { OptOut } from "./opt-out/opt-out.ts";
import type {
  OutgoingMessage,
  ProviderChoice,
  ProviderFailure,
} from "./outgoing-message.ts";
import type {
  DeliveryPolicy,
  RouteCandidate,
} from "./policy/delivery-policy.ts";
import type { ReceiptFailover } from "./policy/receipt-failover.ts";
import type { Provider, ProviderContext, SendContext } from "./provider.ts";
import type { ProviderRegistry } from "./provider-registry.ts";
import { ProviderTurn } from "./provider-turn.ts";
import { SendQueue } from "./send-queue.ts";
import { senderDataOf } from "./sender-data.ts";
import { untilAborted } from "./until-aborted.ts";

/** One provider's turn with a message, once it has ended. */
export interface ProviderAttempt {
  readonly provider: string;
  /** `unknown`: the text may have gone out. */
  readonly outcome: "accepted" | "failed" | "unknown";
  /** Unless it was accepted. */
  readonly error?: unknown;
  readonly durationMs: number;
  readonly msgid: string | null;
  /** The carrier was asked to report on it. */
  readonly receiptExpected: boolean;
}

export interface ProviderSenderPorts {
  readonly providers: ProviderRegistry;
  readonly isPaused: (provider: string) => boolean;
  readonly onAttempt: Hook<ProviderAttempt>;
  /** What is kept from people who said stop, by what holds now. */
  readonly optOut: () => OptOut | undefined;
  readonly onSend: Hook<OutgoingMessage>;
  readonly onLateSend: Hook<OutgoingMessage>;
  /** For every provider; undefined leaves it to each. */
  readonly textLimits: TextLimits | null | undefined;
  readonly maxSegments: () => number | undefined;
  /** For one provider's turn, unless it has a deadline of its own. */
  readonly sendTimeoutMs: number;
  readonly clock: Clock;
}

export class ProviderSender {
  readonly #ports: ProviderSenderPorts;
  readonly #providers: ProviderRegistry;
  readonly #turns = new Set<Promise<unknown>>();
  /** From when a provider is chosen, before its turn, until it has ended. */
  readonly #attempts = new Map<Provider, Set<Promise<unknown>>>();
  readonly #queues = new WeakMap<Provider, SendQueue>();
  #isClosed = false;

  constructor(ports: ProviderSenderPorts) {
    this.#ports = ports;
    this.#providers = ports.providers;
  }

  /**
   * Chooses a provider for an attempt that begins later: until the answered
   * function is called, it counts as one that has something to do.
   */
  hold(provider: Provider): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#note(provider, promise);
    return resolve;
  }

  /** Sends through one provider, or not at all. */
  async sendOnce(
    message: OutgoingMessage,
    choice: ProviderChoice,
    provider: Provider,
    context: ProviderContext,
  ): Promise<OutgoingMessage> {
    message.choice = choice;
    const sent = await this.#attempt(message, provider, context);
    return this.#announce(sent, context);
  }

  /** Sends through the candidates of a policy in order until one accepts. */
  async sendAlong(
    message: OutgoingMessage,
    candidates: readonly RouteCandidate[],
    rule: string,
    policy: DeliveryPolicy,
    receipts: ReceiptFailover | undefined,
    context: SendContext,
  ): Promise<OutgoingMessage> {
    const asked = `named by policy rule "${rule}"`;
    for (const { provider } of candidates) this.#providers.get(provider, asked);

    const { isPaused } = this.#ports;
    const paused = candidates.filter((it) => isPaused(it.provider));
    if (paused.length === candidates.length) throw pausedError(candidates);
    const failures: ProviderFailure[] = [];
    const { src: ownSrc, body: ownBody } = message;
    for (const [index, candidate] of candidates.entries()) {
      const name = candidate.provider;
      if (isPaused(name)) continue;
      const admission = policy.admit(name);
      if (admission === undefined) continue;
      const sender = ownSrc === null ? candidate.sender : undefined;
      message.src = sender ?? ownSrc;
      message.body = ownBody;
      message.choice = {
        by: "policy",
        provider: name,
        rule,
        ...(sender === undefined ? {} : { sender }),
        ...(failures.length > 0 ? { failures: [...failures] } : {}),
      };
      const startedAt = this.#ports.clock.monotonic();
      let sent: OutgoingMessage;
      try {
        const provider = this.#providers.get(name, asked);
        sent = await this.#attempt(message, provider, context);
      } catch (error) {
        admission.failed(error);
        if (context.signal?.aborted || !policy.shouldFailOver(error)) {
          throw error;
        }
        failures.push({ provider: name, error });
        continue;
      }
      admission.succeeded();
      const left = candidates.slice(index + 1);
      receipts?.track({ message: sent, candidates: left, rule, startedAt });
      return this.#announce(sent, context);
    }
    message.src = ownSrc;
    const last = failures.at(-1);
    if (last !== undefined) throw last.error;
    throw policy.unavailable(candidates.filter((it) => !paused.includes(it)));
  }

  /** The gateway's own limits, else the provider's. */
  limitsOf(provider: Provider | undefined): TextLimits | null {
    const { textLimits = provider?.textLimits ?? null } = this.#ports;
    const maxSegments = this.#ports.maxSegments();
    if (textLimits === null || maxSegments === undefined) return textLimits;
    const own = textLimits.maxSegments ?? maxSegments;
    return { ...textLimits, maxSegments: Math.min(own, maxSegments) };
  }

  /** Takes messages, as it does from the beginning. */
  open(): void {
    this.#isClosed = false;
  }

  /** Gives no provider a message any more, and waits for those that have one. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#turns);
  }

  /** Resolves once no message is with the provider, or on its way to it. */
  async whenIdle(provider: Provider): Promise<void> {
    for (;;) {
      const attempts = this.#attempts.get(provider);
      if (attempts === undefined) return;
      await Promise.allSettled(attempts);
    }
  }

  async #attempt(
    message: OutgoingMessage,
    provider: Provider,
    context: ProviderContext,
  ): Promise<OutgoingMessage> {
    const attempt = this.#takeTurn(message, provider, context);
    this.#note(provider, attempt);
    return await attempt;
  }

  #note(provider: Provider, attempt: Promise<unknown>): void {
    const attempts = this.#attempts.get(provider) ?? new Set();
    this.#attempts.set(provider, attempts);
    attempts.add(attempt);
    const end = () => {
      attempts.delete(attempt);
      if (attempts.size === 0) this.#attempts.delete(provider);
    };
    attempt.then(end, end);
  }

  async #takeTurn(
    message: OutgoingMessage,
    provider: Provider,
    context: ProviderContext,
  ): Promise<OutgoingMessage> {
    const optOut = this.#ports.optOut();
    const { signal, msgid } = context;
    message.provider = provider.name;
    message.clearOutcome();
    const starting = this.#providers.whenStarted(provider);
    if (starting !== undefined) await untilAborted(starting, signal);
    if (optOut !== undefined) {
      await untilAborted(optOut.check(message), signal);
    }
    // After the last wait: from here on the message is the provider's.
    signal?.throwIfAborted();
    if (this.#isClosed) {
      throw new ConfigurationError("The gateway is stopped; start it again");
    }
    const given = message.body;
    message.body = prepareText(given, this.limitsOf(provider)).text;
    if (message.body !== given && message.choice !== null) {
      message.choice = { ...message.choice, body: given };
    }
    const { clock, sendTimeoutMs } = this.#ports;
    const turn = new ProviderTurn(provider, {
      clock,
      timeoutMs: provider.sendTimeoutMs ?? sendTimeoutMs,
      signal,
      msgid,
      queueOf: (it) => this.#queueOf(it),
      onLate: (sent) => this.#announceLate(sent),
    });
    message.handOver();
    const startedAt = clock.monotonic();
    const report = (outcome: ProviderAttempt["outcome"], error?: unknown) =>
      this.#report({
        provider: provider.name,
        outcome,
        ...(outcome !== "accepted" && { error }),
        durationMs: clock.monotonic() - startedAt,
        msgid: message.msgid,
        receiptExpected:
          message.providerOptions.statusReport && !message.simulated,
      });
    const taken = turn.take(message);
    this.#turns.add(taken);
    try {
      const sent = await taken;
      sent.senderData = senderDataOf(provider, sent);
      report("accepted");
      // Marked before the hooks run, so that their errors can be distinguished.
      sent.sentAt = new Date(clock.now());
      return sent;
    } catch (error) {
      if (message.isHandedOver) {
        message.senderData = senderDataOf(provider, message, error);
        report(isKnown(error) ? "failed" : "unknown", error);
      }
      // A provider that goes on may not have read all of it yet.
      if (!turn.isGivenUp) message.body = given;
      throw error;
    } finally {
      this.#turns.delete(taken);
    }
  }

  #queueOf(provider: Provider): SendQueue {
    const queue =
      this.#queues.get(provider) ?? new SendQueue(provider, this.#ports.clock);
    this.#queues.set(provider, queue);
    return queue;
  }

  #report(attempt: ProviderAttempt): void {
    const { onAttempt } = this.#ports;
    if (onAttempt.size === 0) return;
    onAttempt.emit(attempt).catch(() => {
      // Who counts attempts changes nothing of them.
    });
  }

  #announceLate(sent: OutgoingMessage): void {
    const { clock, onLateSend } = this.#ports;
    sent.sentAt = new Date(clock.now());
    onLateSend.emit(sent).catch(() => {
      // There is no caller any more.
    });
  }

  async #announce(
    sent: OutgoingMessage,
    { signal }: SendContext,
  ): Promise<OutgoingMessage> {
    const { onSend } = this.#ports;
    if (onSend.size > 0) await untilAborted(onSend.emit(sent), signal);
    return sent;
  }
}

/** The error for texts that only providers could send that somebody paused. */
export function pausedError(
  providers: readonly { readonly provider: string }[],
): ProviderPausedError {
  const names = providers.map(({ provider }) => provider).join(", ");
  return new ProviderPausedError(
    providers.length === 1
      ? `The provider is paused: ${names}`
      : `All providers of the rule are paused: ${names}`,
    { code: "PROVIDER_PAUSED" },
  );
}

/** Whether an error says that nothing was sent. */
function isKnown(error: unknown): boolean {
  if (error instanceof ConfigurationError) return true;
  return error instanceof ProviderError && !error.outcomeUnknown;
}
