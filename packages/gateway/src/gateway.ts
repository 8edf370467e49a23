/**
 * The one object an application holds: it knows the providers, chooses one for
 * each message, sends, and runs the hooks for what was sent, received and
 * reported. It keeps no messages; storing and retrying are the application's.
 */

import { type Clock, systemClock } from "./clock.ts";
import type { TextLimits } from "./encoding/text-limits.ts";
import { ConfigurationError } from "./errors.ts";
import { type FetchHandler, toFetchHandler } from "./fetch-handler.ts";
import { Hook } from "./hook.ts";
import { createFetchHttpClient, type HttpClient } from "./http.ts";
import type { IncomingMessage } from "./incoming-message.ts";
import type { MessageStatus } from "./message-status.ts";
import type { OptOut } from "./opt-out/opt-out.ts";
import type { OutgoingMessage } from "./outgoing-message.ts";
import {
  type ChosenRoute,
  chooseRoute,
  type Router,
} from "./policy/choose-route.ts";
import type { DeliveryPolicy } from "./policy/delivery-policy.ts";
import { type Explanation, explain } from "./policy/explain.ts";
import { ReceiptFailover } from "./policy/receipt-failover.ts";
import type {
  Provider,
  ProviderHost,
  SendContext,
  StartContext,
} from "./provider.ts";
import { ProviderRegistry } from "./provider-registry.ts";
import { ProviderSender } from "./provider-sender.ts";
import type { Receiver } from "./receiver.ts";
import {
  createReceiverHandler,
  type ReceiverHandler,
  type ReceiverHandlerOptions,
} from "./receiver-handler.ts";

/** How a gateway chooses providers, and what it checks before sending. */
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

/** Sends texts through providers, and hands on what comes back from them. */
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

  readonly #providers = new ProviderRegistry();
  readonly #clock: Clock;
  readonly #sender: ProviderSender;
  readonly #receipts: ReceiptFailover | undefined;

  constructor(options: GatewayOptions<Route> = {}) {
    const { policy, optOut, textLimits } = options;
    this.#clock = options.clock ?? systemClock;
    this.id = (options.newId ?? (() => crypto.randomUUID()))();
    this.http = options.http ?? createFetchHttpClient();
    this.router = options.router ?? (() => null);
    this.policy = policy;
    this.optOut = optOut;
    const sender = new ProviderSender({
      providers: this.#providers,
      optOut,
      onSend: this.onSend,
      textLimits,
      now: () => this.#clock.now(),
    });
    this.#sender = sender;
    const receipts = policy?.data.failover?.receipts;
    if (policy !== undefined && receipts !== undefined) {
      this.#receipts = new ReceiptFailover(receipts, {
        clock: this.#clock,
        onFailover: policy.onFailover,
        send: (message, candidates, rule) =>
          sender.sendAlong(
            message,
            candidates,
            rule,
            policy,
            this.#receipts,
            {},
          ),
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
    const create = () =>
      typeof provider === "function" ? provider(this, name) : provider;
    return this.#providers.add(name, create, this);
  }

  /**
   * The provider of a name, to reach what it offers beyond sending. Given a
   * class too, checks it. Throws `UnknownProviderError`.
   */
  getProvider<P extends Provider = Provider>(
    name: string,
    type?: abstract new (...args: never[]) => P,
  ): P {
    const provider = this.#providers.get(name, "asked for by getProvider");
    if (type !== undefined && !(provider instanceof type)) {
      throw new ConfigurationError(`"${name}" is not a ${type.name}`);
    }
    // Without the class the type is as the caller says.
    return provider as P;
  }

  hasProvider(name: string): boolean {
    return this.#providers.has(name);
  }

  /** In the order of registration. */
  get providers(): ReadonlyMap<string, Provider> {
    return this.#providers.all;
  }

  /** Null until the first provider is added. */
  get defaultProvider(): string | null {
    return this.#providers.defaultName;
  }

  /** Throws `UnknownProviderError` and keeps the old one. */
  set defaultProvider(name: string) {
    this.#providers.defaultName = name;
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
    const route = await this.#chooseRoute(message);
    if (route.by === "policy") {
      const { candidates, rule, policy } = route;
      const receipts = this.#receipts;
      return this.#sender.sendAlong(
        message,
        candidates,
        rule,
        policy,
        receipts,
        context,
      );
    }
    if (route.by === null) {
      throw new ConfigurationError("The gateway has no provider to send with");
    }
    const { by } = route;
    const provider = this.#providers.get(route.provider, askedFor[by]);
    return this.#sender.sendOnce(message, by, provider, context);
  }

  /**
   * Which provider `send` would use and why, in how many segments and at what
   * cost. Sends nothing and leaves the message as it is.
   */
  explain(message: OutgoingMessage<Route>): Promise<Explanation> {
    return explain(message, {
      chooseRoute: (copy) => this.#chooseRoute(copy),
      policy: this.policy,
      optOut: this.optOut,
      hasProvider: (name) => this.#providers.has(name),
      textLimits: (name) => this.#sender.limitsOf(this.#providers.find(name)),
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
    for (const [name, provider] of this.#providers.all) {
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
      (name) => this.#providers.find(name)?.receiver() ?? null,
      options,
    );
  }

  /** `receiverHandler` for platforms that speak `Request` and `Response`. */
  handler(options: ReceiverHandlerOptions = {}): FetchHandler {
    return toFetchHandler(this.receiverHandler(options), options);
  }

  /**
   * Starts the providers in the order of registration. If one fails, those
   * before it are stopped again and its error is thrown; the same when the
   * signal is aborted, with its reason.
   */
  async start(context: StartContext = {}): Promise<void> {
    this.policy?.checkProviders((name) => this.#providers.has(name));
    await this.#providers.start(context);
    this.#receipts?.start();
  }

  /**
   * Stops the started providers, last first, all of them even if some fail;
   * then throws what failed. Safe to call again.
   */
  async stop(): Promise<void> {
    await this.#receipts?.stop();
    await this.#providers.stop();
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

  #chooseRoute(message: OutgoingMessage): Promise<ChosenRoute> {
    return chooseRoute(message, {
      // The values were given to `route` of a message of this gateway's type.
      router: this.router as Router<readonly unknown[]>,
      policy: this.policy,
      defaultProvider: this.defaultProvider,
    });
  }
}

/** Who wanted a provider, for the error when there is none of its name. */
const askedFor = {
  explicit: "named by the message",
  router: "named by the router",
  default: "the default",
} as const;
