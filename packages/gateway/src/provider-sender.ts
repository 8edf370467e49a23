/**
 * The last steps of sending, once it is known who may do it: checks, the
 * provider's turn, failover along the candidates of a policy, and the hook.
 */

import { prepareText, type TextLimits } from "./encoding/text-limits.ts";
import { ProviderError } from "./errors.ts";
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
import type { Provider, SendContext } from "./provider.ts";
import type { ProviderRegistry } from "./provider-registry.ts";

export interface ProviderSenderPorts {
  readonly providers: ProviderRegistry;
  readonly optOut: OptOut | undefined;
  readonly onSend: Hook<OutgoingMessage>;
  /** For every provider; undefined leaves it to each. */
  readonly textLimits: TextLimits | null | undefined;
  now(): number;
}

export class ProviderSender {
  readonly #ports: ProviderSenderPorts;
  readonly #providers: ProviderRegistry;

  constructor(ports: ProviderSenderPorts) {
    this.#ports = ports;
    this.#providers = ports.providers;
  }

  /** Sends through one provider, or not at all. */
  async sendOnce(
    message: OutgoingMessage,
    by: ProviderChoice["by"],
    provider: Provider,
    context: SendContext,
  ): Promise<OutgoingMessage> {
    message.choice = { by, provider: provider.name };
    return this.#announce(await this.#attempt(message, provider, context));
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

    const failures: ProviderFailure[] = [];
    const ownSrc = message.src;
    for (const [index, candidate] of candidates.entries()) {
      const name = candidate.provider;
      const admission = policy.admit(name);
      if (admission === undefined) continue;
      const sender = ownSrc === null ? candidate.sender : undefined;
      message.src = sender ?? ownSrc;
      message.choice = {
        by: "policy",
        provider: name,
        rule,
        ...(sender === undefined ? {} : { sender }),
        ...(failures.length > 0 ? { failures: [...failures] } : {}),
      };
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
      receipts?.track(sent, candidates.slice(index + 1), rule);
      return this.#announce(sent);
    }
    message.src = ownSrc;
    const last = failures.at(-1);
    if (last !== undefined) throw last.error;
    throw policy.unavailable(candidates);
  }

  /** The gateway's own limits, else the provider's. */
  limitsOf(provider: Provider | undefined): TextLimits | null {
    const { textLimits } = this.#ports;
    return textLimits === undefined
      ? (provider?.textLimits ?? null)
      : textLimits;
  }

  async #attempt(
    message: OutgoingMessage,
    provider: Provider,
    context: SendContext,
  ): Promise<OutgoingMessage> {
    const { optOut } = this.#ports;
    message.provider = provider.name;
    message.simulated = false;
    if (optOut !== undefined) await optOut.check(message);
    context.signal?.throwIfAborted();
    const limits = this.limitsOf(provider);
    if (limits !== null) prepareText(message.body, limits);
    let sent: OutgoingMessage;
    try {
      sent = await provider.send(message, context);
    } catch (error) {
      if (error instanceof ProviderError) error.provider ??= provider.name;
      throw error;
    }
    // Marked before the hooks run, so that their errors can be distinguished.
    sent.sentAt = new Date(this.#ports.now());
    return sent;
  }

  async #announce(sent: OutgoingMessage): Promise<OutgoingMessage> {
    const { onSend } = this.#ports;
    if (onSend.size > 0) await onSend.emit(sent);
    return sent;
  }
}
