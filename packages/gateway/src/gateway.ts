/**
 * The one object an application holds: it knows the providers, chooses one for
 * each message, sends, and tells the hooks what was sent, received and
 * reported. It keeps no messages; storing and retrying are the application's.
 */

import { type Clock, systemClock } from "./clock.ts";
import { prepareText, type TextLimits } from "./encoding/text-limits.ts";
import {
  ConfigurationError,
  ProviderError,
  UnknownProviderError,
} from "./errors.ts";
import { toFetchHandler } from "./fetch-handler.ts";
import { Hook } from "./hook.ts";
import { createFetchHttpClient, type HttpClient } from "./http.ts";
import type { IncomingMessage } from "./incoming-message.ts";
import type { MessageStatus } from "./message-status.ts";
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
import { type Explanation, explain } from "./policy/explain.ts";
import { ReceiptFailover } from "./policy/receipt-failover.ts";
import { Provider, type ProviderHost, type SendContext } from "./provider.ts";
import type { Receiver } from "./receiver.ts";
import {
  createReceiverHandler,
  type ReceiverHandler,
  type ReceiverHandlerOptions,
} from "./receiver-handler.ts";

/**
 * Names a provider for a message, from the values given to `route`. Anything
 * empty leaves it to the policy or the default provider. May change the
 * message: it is the place to add options by kind of traffic.
 */
export type Router<Route extends readonly unknown[]> = (
  message: OutgoingMessage<Route>,
  ...values: Route
) => RouterResult | Promise<RouterResult>;

// biome-ignore lint/suspicious/noConfusingVoidType: a router may return nothing
export type RouterResult = string | null | undefined | void;

export interface GatewayOptions<Route extends readonly unknown[]> {
  readonly router?: Router<Route>;
  /** Chooses among several providers where neither sender nor router does. */
  readonly policy?: DeliveryPolicy;
  /** Keeps texts from people who said stop. */
  readonly optOut?: OptOut;
  /**
   * Limits for every provider; by default each provider's own: ten segments
   * and no empty text for carriers, none for null, log, loopback and forward.
   */
  readonly textLimits?: TextLimits | null;
  /** All outward requests of all providers. Default: `fetch`, 10 s. */
  readonly http?: HttpClient;
  readonly clock?: Clock;
  readonly newId?: () => string;
}

export class Gateway<Route extends readonly unknown[] = readonly unknown[]>
  implements ProviderHost, AsyncDisposable
{
  readonly id: string;
  readonly http: HttpClient;
  /** Replaceable at any time. */
  router: Router<Route>;
  readonly policy: DeliveryPolicy | undefined;
  readonly optOut: OptOut | undefined;

  /** A provider accepted a message. */
  readonly onSend = new Hook<OutgoingMessage>();
  /** A text came in. A hook that fails makes the carrier deliver it again. */
  readonly onReceive = new Hook<IncomingMessage>();
  /** A status came in, possibly before `send` resolved. */
  readonly onStatus = new Hook<MessageStatus>();

  readonly #providers = new Map<string, Provider>();
  readonly #textLimits: TextLimits | null | undefined;
  readonly #clock: Clock;
  readonly #receipts: ReceiptFailover | undefined;
  #defaultProvider: string | null = null;
  #started: Provider[] = [];

  constructor(options: GatewayOptions<Route> = {}) {
    this.#clock = options.clock ?? systemClock;
    this.id = (options.newId ?? (() => crypto.randomUUID()))();
    this.http = options.http ?? createFetchHttpClient();
    this.router = options.router ?? (() => null);
    this.policy = options.policy;
    this.optOut = options.optOut;
    this.#textLimits = options.textLimits;
    const receipts = options.policy?.data.failover?.receipts;
    if (receipts !== undefined) {
      this.#receipts = new ReceiptFailover(receipts, {
        clock: this.#clock,
        onFailover: options.policy?.onFailover,
        send: (message, candidates, rule) =>
          this.#sendAlong(message, candidates, rule, {}),
      });
    }
  }

  /**
   * Registers a provider and returns it. The first one becomes the default.
   * Throws `ConfigurationError` for a name already taken and for anything that
   * is no provider; a factory is not called in the first case.
   */
  addProvider<P extends Provider>(
    name: string,
    provider: P | ((gateway: Gateway<Route>, name: string) => P),
  ): P {
    if (typeof name !== "string" || name === "") {
      throw new ConfigurationError("A provider needs a name");
    }
    if (this.#providers.has(name)) {
      throw new ConfigurationError(
        `A provider called "${name}" is registered already`,
      );
    }
    const added =
      typeof provider === "function" ? provider(this, name) : provider;
    if (!(added instanceof Provider)) {
      throw new ConfigurationError(`"${name}" is not a provider`);
    }
    added.attach(this, name);
    this.#providers.set(name, added);
    this.#defaultProvider ??= name;
    return added;
  }

  /**
   * The provider of a name, to reach what it offers beyond sending. Given a
   * class too, checks it. Throws `UnknownProviderError`.
   */
  getProvider<P extends Provider = Provider>(
    name: string,
    type?: abstract new (...args: never[]) => P,
  ): P {
    const provider = this.#providers.get(name);
    if (provider === undefined) {
      throw this.#unknown(name, "asked for by getProvider");
    }
    if (type !== undefined && !(provider instanceof type)) {
      throw new ConfigurationError(`"${name}" is not a ${type.name}`);
    }
    // Without the class the type is the caller's word.
    return provider as P;
  }

  hasProvider(name: string): boolean {
    return this.#providers.has(name);
  }

  /** In the order of registration. */
  get providers(): ReadonlyMap<string, Provider> {
    return this.#providers;
  }

  /** Null until the first provider is added. */
  get defaultProvider(): string | null {
    return this.#defaultProvider;
  }

  set defaultProvider(name: string) {
    if (!this.#providers.has(name)) {
      throw this.#unknown(name, "set as defaultProvider");
    }
    this.#defaultProvider = name;
  }

  /**
   * Sends a message: through the provider it names, else the one the router
   * names if `route` was called, else by policy, else through the default.
   * Returns what the provider returned, normally the same object.
   *
   * Rejects with `ConfigurationError` before anything is sent, with the
   * provider's `ProviderError`, with `SuppressedError`, or with what an
   * `onSend` hook threw: then the message was sent and has its `sentAt`.
   */
  async send(
    message: OutgoingMessage<Route>,
    context: SendContext = {},
  ): Promise<OutgoingMessage<Route>> {
    context.signal?.throwIfAborted();
    message.sentAt = null;
    if (message.provider !== null && message.provider !== undefined) {
      const name = message.provider;
      const provider = this.#providers.get(name);
      if (!provider) throw this.#unknown(name, "named by the message");
      return this.#sendOnce(
        message,
        provider,
        { by: "explicit", provider: name },
        context,
      );
    }
    if (message.routingValues !== null) {
      // The message was routed with values of this gateway's Route type.
      const values = message.routingValues as Route;
      const routed = this.router(message, ...values);
      const name = routed instanceof Promise ? await routed : routed;
      if (name) {
        const provider = this.#providers.get(name);
        if (!provider) throw this.#unknown(name, "named by the router");
        return this.#sendOnce(
          message,
          provider,
          { by: "router", provider: name },
          context,
        );
      }
    }
    const plan = this.policy?.plan(message);
    if (plan !== undefined && plan.rule !== null) {
      return this.#sendAlong(message, plan.candidates, plan.rule, context);
    }
    const name = this.#defaultProvider;
    const provider = name === null ? undefined : this.#providers.get(name);
    if (name === null || provider === undefined) {
      throw new ConfigurationError("The gateway has no provider to send with");
    }
    return this.#sendOnce(
      message,
      provider,
      { by: "default", provider: name },
      context,
    );
  }

  /**
   * Which provider `send` would use and why, in how many segments and at what
   * cost. Sends nothing and leaves the message as it is.
   */
  explain(message: OutgoingMessage<Route>): Promise<Explanation> {
    return explain(message, {
      router: this.router as Router<readonly unknown[]>,
      policy: this.policy,
      optOut: this.optOut,
      defaultProvider: this.#defaultProvider,
      hasProvider: (name) => this.#providers.has(name),
      textLimits: (name) => this.#limitsOf(this.#providers.get(name)),
    });
  }

  /**
   * The routes of one provider. Throws `UnknownProviderError`, and
   * `ConfigurationError` if it has none.
   */
  receiver(name: string): Receiver {
    const receiver = this.getProvider(name).receiver();
    if (receiver === null) {
      throw new ConfigurationError(`"${name}" has no receiver`);
    }
    return receiver;
  }

  /** The routes of all providers that have any. */
  receivers(): Map<string, Receiver> {
    const receivers = new Map<string, Receiver>();
    for (const [name, provider] of this.#providers) {
      const receiver = provider.receiver();
      if (receiver !== null) receivers.set(name, receiver);
    }
    return receivers;
  }

  /**
   * One function for all receivers, mounted at `/{prefix}/{provider}/…`. Make
   * the prefix hard to guess: who knows the address can make up messages.
   */
  receiverHandler(options: ReceiverHandlerOptions = {}): ReceiverHandler {
    return createReceiverHandler(
      (name) => this.#providers.get(name)?.receiver() ?? null,
      options,
    );
  }

  /** `receiverHandler` for platforms that speak `Request` and `Response`. */
  handler(
    options: ReceiverHandlerOptions = {},
  ): (request: Request) => Promise<Response> {
    return toFetchHandler(this.receiverHandler(options), options);
  }

  /**
   * Starts the providers in the order of registration. If one fails, those
   * before it are stopped again and its error is thrown.
   */
  async start(): Promise<void> {
    this.policy?.checkProviders((name) => this.#providers.has(name));
    for (const provider of this.#providers.values()) {
      if (this.#started.includes(provider)) continue;
      try {
        await provider.start?.();
      } catch (error) {
        await this.stop().catch(() => {
          // The first error tells why; a stop after it often fails likewise.
        });
        throw error;
      }
      this.#started.push(provider);
    }
    this.#receipts?.start();
  }

  /**
   * Stops the started providers, last first, all of them even if some fail;
   * then throws what failed. Safe to call again.
   */
  async stop(): Promise<void> {
    await this.#receipts?.stop();
    const started = this.#started.reverse();
    this.#started = [];
    const errors: unknown[] = [];
    for (const provider of started) {
      try {
        await provider.stop?.();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) {
      throw new AggregateError(errors, "Several providers failed to stop");
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  now(): number {
    return this.#clock.now();
  }

  /** For providers: a text came in. */
  async receive(message: IncomingMessage): Promise<void> {
    if (this.optOut !== undefined) await this.optOut.handle(message);
    await this.onReceive.emit(message);
  }

  /** For providers: a status came in. */
  async report(status: MessageStatus): Promise<void> {
    await this.onStatus.emit(status);
    // After the hooks: when they fail, the carrier repeats the status.
    this.#receipts?.handle(status);
  }

  async #sendOnce(
    message: OutgoingMessage<Route>,
    provider: Provider,
    choice: ProviderChoice,
    context: SendContext,
  ): Promise<OutgoingMessage<Route>> {
    message.choice = choice;
    const sent = await this.#attempt(message, provider, context);
    return this.#announce(sent);
  }

  // Tries the candidates of a policy in order until one accepts.
  async #sendAlong(
    message: OutgoingMessage,
    candidates: readonly RouteCandidate[],
    rule: string,
    context: SendContext,
  ): Promise<OutgoingMessage> {
    const policy = this.policy;
    if (policy === undefined) throw new ConfigurationError("No policy is set");
    for (const { provider: name } of candidates) {
      if (!this.#providers.has(name)) {
        throw this.#unknown(name, `named by policy rule "${rule}"`);
      }
    }
    const failures: ProviderFailure[] = [];
    const ownSrc = message.src;
    for (const [index, candidate] of candidates.entries()) {
      const admission = policy.admit(candidate.provider);
      if (admission === undefined) continue;
      const sender = ownSrc === null ? candidate.sender : undefined;
      message.src = sender ?? ownSrc;
      message.choice = {
        by: "policy",
        provider: candidate.provider,
        rule,
        ...(sender === undefined ? {} : { sender }),
        ...(failures.length > 0 ? { failures: [...failures] } : {}),
      };
      let sent: OutgoingMessage;
      try {
        const provider = this.getProvider(candidate.provider);
        sent = await this.#attempt(message, provider, context);
      } catch (error) {
        admission.failed(error);
        if (context.signal?.aborted || !policy.shouldFailOver(error)) {
          throw error;
        }
        failures.push({ provider: candidate.provider, error });
        continue;
      }
      admission.succeeded();
      this.#receipts?.track(sent, candidates.slice(index + 1), rule);
      return this.#announce(sent);
    }
    message.src = ownSrc;
    const last = failures.at(-1);
    if (last !== undefined) throw last.error;
    throw policy.unavailable(candidates);
  }

  async #attempt(
    message: OutgoingMessage,
    provider: Provider,
    context: SendContext,
  ): Promise<OutgoingMessage> {
    message.provider = provider.name;
    if (this.optOut !== undefined) await this.optOut.check(message);
    const limits = this.#limitsOf(provider);
    if (limits !== null) prepareText(message.body, limits);
    let sent: OutgoingMessage;
    try {
      sent = await provider.send(message, context);
    } catch (error) {
      if (error instanceof ProviderError) error.provider ??= provider.name;
      throw error;
    }
    // Marked before the hooks run, so that their errors can be told apart.
    sent.sentAt = new Date(this.#clock.now());
    return sent;
  }

  async #announce(sent: OutgoingMessage): Promise<OutgoingMessage> {
    if (this.onSend.size > 0) await this.onSend.emit(sent);
    return sent;
  }

  #limitsOf(provider: Provider | undefined): TextLimits | null {
    if (this.#textLimits !== undefined) return this.#textLimits;
    return provider?.textLimits ?? null;
  }

  #unknown(name: string, asked: string): UnknownProviderError {
    return new UnknownProviderError(name, this.#providers.keys(), asked);
  }
}
