/**
 * The one object an application holds: it knows the providers, chooses one for
 * each message, sends, and runs the hooks for what was sent, received and
 * reported. It keeps no messages; storing and retrying are the application's.
 */

/// <reference lib="esnext.disposable" preserve="true" />

import {
  askRouter,
  type RecipientRouter,
  RouterError,
} from "./backend/recipient-router.ts";
import { type Clock, systemClock } from "./clock.ts";
import { describeValue } from "./describe-value.ts";
import type { TextLimits } from "./encoding/text-limits.ts";
import { ConfigurationError } from "./errors.ts";
import { type FetchHandler, toFetchHandler } from "./fetch-handler.ts";
import { fetchStatuses } from "./fetch-statuses.ts";
import { Guard } from "./guard/guard.ts";
import {
  type AttemptContext,
  type GuardedTextPorts,
  guardedAttempt,
  guardedSend,
  toGuardedText,
} from "./guard/guarded-text.ts";
import { HeldError, type Hold } from "./guard/hold.ts";
import { Hook } from "./hook.ts";
import type { HttpClient } from "./http.ts";
import type { IncomingMessage } from "./incoming-message.ts";
import type { MessageStatus } from "./message-status.ts";
import { createHttpClient } from "./node-http-client.ts";
import { OptOut } from "./opt-out/opt-out.ts";
import { checkContent, OutgoingMessage } from "./outgoing-message.ts";
import {
  AttemptRoute,
  type NoAttemptRoute,
  routeAttempt,
  type TriedProvider,
} from "./policy/attempt-route.ts";
import {
  type ChosenRoute,
  chooseRoute,
  type Router,
} from "./policy/choose-route.ts";
import { DeliveryPolicy } from "./policy/delivery-policy.ts";
import { type Explanation, explain } from "./policy/explain.ts";
import { ReceiptFailover } from "./policy/receipt-failover.ts";
import {
  Provider,
  type ProviderHost,
  type SendContext,
  type StartContext,
  type StatusPolling,
} from "./provider.ts";
import { ProviderRegistry } from "./provider-registry.ts";
import {
  type ProviderAttempt,
  ProviderSender,
  pausedError,
} from "./provider-sender.ts";
import type { Receiver } from "./receiver.ts";
import {
  createReceiverHandler,
  type ReceiverHandler,
  type ReceiverHandlerOptions,
} from "./receiver-handler.ts";
import { untilAborted } from "./until-aborted.ts";

/** How a gateway chooses providers, and what it checks before sending. */
export interface GatewayOptions<Route extends readonly unknown[]> {
  readonly router?: Router<Route>;
  /** Asked for all that name no provider, before the policy. */
  readonly recipientRouter?: RecipientRouter;
  /** Chooses among several providers where neither sender nor router does. */
  readonly policy?: DeliveryPolicy;
  /** Keeps texts from people who said stop. */
  readonly optOut?: OptOut;
  /** Holds texts that would cost money for nothing. None by default. */
  readonly guard?: Guard;
  /**
   * Limits for every provider; by default each provider's own: ten segments
   * and no empty text for carriers, none for null, log, loopback and forward.
   */
  readonly textLimits?: TextLimits | null;
  /**
   * Segments of a text at most, where there are limits at all: in place of the
   * ten, and a bound on what providers say. Replaceable at any time.
   */
  readonly maxSegments?: number;
  /**
   * For one provider's turn with a message or a question, unless the provider has a
   * deadline of its own. Default 20,000.
   */
  readonly sendTimeoutMs?: number;
  /** All outward requests of all providers. Default: Node's own HTTP, 10 s. */
  readonly http?: HttpClient;
  readonly clock?: Clock;
  /** Its ids are never used twice, by no gateway. Default: random UUIDs. */
  readonly newId?: () => string;
}

/** Sends texts through providers, and hands on what comes back from them. */
export class Gateway<Route extends readonly unknown[] = readonly unknown[]>
  implements ProviderHost, AsyncDisposable
{
  readonly id: string;
  readonly http: HttpClient;
  /** Its rules are replaceable at any time. */
  readonly guard: Guard | undefined;
  /** As {@link GatewayOptions} has it. */
  maxSegments: number | undefined;
  /** As {@link GatewayOptions} has it. Replaceable at any time. */
  recipientRouter: RecipientRouter | undefined;

  /** A provider accepted a message. */
  readonly onSend = new Hook<OutgoingMessage>();
  /**
   * A provider accepted a message that `send` had given up, at the deadline or
   * for an abort, with its outcome unknown. Errors of these hooks are dropped.
   */
  readonly onLateSend = new Hook<OutgoingMessage>();
  /**
   * A provider's turn with a message ended, whatever came of it. Errors of these
   * hooks are dropped, and nobody waits for them.
   */
  readonly onAttempt = new Hook<ProviderAttempt>();
  /**
   * The router by recipient failed for an attempt, which waits or ends. Errors of
   * these hooks are dropped, and nobody waits for them.
   */
  readonly onRouterError = new Hook<RouterError>();
  /** A text came in. A hook that fails makes the carrier deliver it again. */
  readonly onReceive = new Hook<IncomingMessage>();
  /** A status came in, possibly before `send` resolved. */
  readonly onStatus = new Hook<MessageStatus>();

  readonly #providers = new ProviderRegistry();
  readonly #clock: Clock;
  readonly #newId: () => string;
  readonly #sendTimeoutMs: number;
  readonly #sender: ProviderSender;
  #policy: DeliveryPolicy | undefined;
  #receipts: ReceiptFailover | undefined;
  // Of the policy before: its messages were promised another attempt.
  #formerReceipts: ReceiptFailover | undefined;
  #isWatching = false;
  #router: Router<Route>;
  #optOut: OptOut | undefined;
  #paused: ReadonlySet<string> = new Set();
  #callbackBase: string | undefined;
  // Starting and stopping one after another, whoever asks for it when.
  #lifecycle: Promise<void> = Promise.resolve();

  /** Throws `ConfigurationError` for an option of another type. */
  constructor(options: GatewayOptions<Route> = {}) {
    checkOptions(options);
    const { policy, optOut, textLimits } = options;
    this.#clock = options.clock ?? systemClock;
    this.#newId = options.newId ?? (() => crypto.randomUUID());
    this.id = this.#newId();
    this.http = options.http ?? createHttpClient();
    this.#router = options.router ?? (() => null);
    this.guard = options.guard;
    this.maxSegments = options.maxSegments;
    this.recipientRouter = options.recipientRouter;
    this.#policy = policy;
    this.#optOut = optOut;
    this.#sendTimeoutMs = options.sendTimeoutMs ?? 20_000;
    this.#sender = new ProviderSender({
      providers: this.#providers,
      isPaused: (name) => this.#paused.has(name),
      onAttempt: this.onAttempt,
      optOut: () => this.#optOut,
      onSend: this.onSend,
      onLateSend: this.onLateSend,
      textLimits,
      maxSegments: () => this.maxSegments,
      sendTimeoutMs: this.#sendTimeoutMs,
      clock: this.#clock,
    });
    this.#receipts = this.#createReceiptFailover(policy);
  }

  /**
   * Registers a provider and returns it. The first one becomes the default. If
   * the gateway has been started, so is the provider; `send` waits for it.
   * Throws `ConfigurationError` for a name already taken and for anything that
   * is no provider; a factory is not called in the first case.
   */
  addProvider<P extends Provider>(
    name: string,
    provider: P | ((gateway: Gateway<Route>, name: string) => P),
  ): P {
    // A class is left to be refused, with the advice to build one.
    const create = (): P =>
      typeof provider === "function" && !isProviderClass(provider)
        ? provider(this, name)
        : (provider as P);
    return this.#providers.add(name, create, this);
  }

  /**
   * Takes a provider out. Its name is free at once, nothing new is sent through
   * it, and the first one left becomes the default if it was this one. Resolves
   * once the messages that it had, or that were on their way to it, have their
   * outcome and it is stopped; rejects as its `stop` does. Throws
   * `UnknownProviderError`, and `ConfigurationError` while the policy names it.
   */
  removeProvider(name: string): Promise<void> {
    this.policy?.checkProviders(
      [...this.#providers.all.keys()].filter((other) => other !== name),
    );
    const provider = this.#providers.remove(name);
    return this.#retire(provider);
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

  /** False while the provider is being started, and when it could not be. */
  isReady(name: string): boolean {
    const provider = this.#providers.find(name);
    return provider !== undefined && this.#providers.isReady(provider);
  }

  /** Names of providers that are paused, whether there are such or not. */
  get paused(): ReadonlySet<string> {
    return this.#paused;
  }

  /**
   * These get no new text, and no others are paused. A policy passes them over;
   * a text that no other provider may send is refused with
   * `ProviderPausedError`. What they have is finished, and what their carriers
   * report or hand over comes in.
   */
  set paused(names: Iterable<string>) {
    this.#paused = new Set(names);
  }

  /**
   * Where the world reaches this gateway's receivers, as
   * `https://sms.example.com/sms`: who knows it can make up messages.
   */
  set callbackBase(url: string | undefined) {
    this.#callbackBase = url?.replace(/\/+$/, "");
  }

  callbackUrl(provider: string): string | undefined {
    const base = this.#callbackBase;
    return base && `${base}/${encodeURIComponent(provider)}`;
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

  get router(): Router<Route> {
    return this.#router;
  }

  /** Replaceable at any time. Throws `ConfigurationError` for no function. */
  set router(router: Router<Route>) {
    checkRouter(router);
    this.#router = router;
  }

  get policy(): DeliveryPolicy | undefined {
    return this.#policy;
  }

  /**
   * Replaceable at any time: what is being sent keeps the providers it had, and
   * what was accepted under the policy before is watched by its rules. Throws
   * `ConfigurationError` for no policy, and for one that names a provider that
   * there is not, once the gateway was started.
   */
  set policy(policy: DeliveryPolicy | undefined) {
    checkPolicy(policy);
    if (policy === this.#policy) return;
    if (this.#isWatching) policy?.checkProviders(this.#providers.all.keys());
    this.#policy = policy;
    if (this.#receipts !== undefined) {
      // Only the last two watch: nothing would ever end those before.
      void this.#formerReceipts?.stop();
      this.#formerReceipts = this.#receipts;
    }
    this.#receipts = this.#createReceiptFailover(policy);
    if (this.#isWatching) this.#receipts?.start();
  }

  get optOut(): OptOut | undefined {
    return this.#optOut;
  }

  /** Replaceable at any time. Throws `ConfigurationError` for no `OptOut`. */
  set optOut(optOut: OptOut | undefined) {
    checkOptOut(optOut);
    this.#optOut = optOut;
  }

  /**
   * Sends a message: through the provider it names, else the one the router names if
   * `route` was called, else the one that `recipientRouter` names, else by policy, else
   * through the default. Returns what the provider returned, normally the same object.
   *
   * Rejects with `ConfigurationError` before anything is sent, with the
   * provider's `ProviderError`, with `SuppressedError` or `HeldError`, or with what an
   * `onSend` hook threw: then the message was sent and has its `sentAt`. An
   * abort ends every wait and rejects with the signal's reason; if a provider
   * had the message by then, it may still go out: see `onLateSend`.
   */
  async send(
    message: OutgoingMessage<Route>,
    context: SendContext = {},
  ): Promise<OutgoingMessage<Route>> {
    checkMessage(message, "send");
    const { signal } = context;
    signal?.throwIfAborted();
    message.sentAt = null;
    const route = await untilAborted(this.#chooseRoute(message), signal);
    const { guard } = this;
    const text =
      guard && guardedSend(message, route, this.#guardedPorts(guard));
    const hold = text && (await untilAborted(guard.check(text), signal));
    if (hold !== undefined) throw new HeldError(hold);
    const sent = await this.#sendBy(route, message, context);
    // Normally the same object; else one the provider made of it.
    return sent as OutgoingMessage<Route>;
  }

  /**
   * The provider of the next attempt, given what was tried for this message,
   * oldest first; chosen as `send` does. For applications that keep a ledger:
   * {@link sendThrough} makes the attempt, or the route is released; until then
   * its provider is not stopped. The guard looks at the message here.
   */
  async chooseRoute(
    message: OutgoingMessage<Route>,
    tried: readonly TriedProvider[] = [],
    context: AttemptContext = {},
  ): Promise<AttemptRoute | NoAttemptRoute> {
    checkMessage(message, "chooseRoute");
    const chosen = await this.#routeNext(message, tried);
    const { guard } = this;
    if (guard === undefined || !(chosen instanceof AttemptRoute)) return chosen;
    const ports = this.#guardedPorts(guard);
    const text = guardedAttempt(message, chosen, tried, context, ports);
    if (text === undefined) return chosen;
    try {
      const hold = await guard.check(text);
      if (hold === undefined) return chosen;
      chosen.release();
      return { problem: "held", error: hold.error };
    } catch (error) {
      chosen.release();
      throw error;
    }
  }

  /**
   * Makes one attempt through exactly the provider of a route: no other is tried,
   * and no receipt is waited for. A provider that was removed since it was chosen
   * makes it all the same. Rejects as `send` does.
   */
  async sendThrough(
    message: OutgoingMessage<Route>,
    route: AttemptRoute,
    context: SendContext = {},
  ): Promise<OutgoingMessage<Route>> {
    try {
      checkMessage(message, "sendThrough");
      context.signal?.throwIfAborted();
      message.sentAt = null;
      const asked = "chosen for this attempt";
      const provider =
        route.target ?? this.#providers.get(route.provider, asked);
      route.applyTo(message);
      const { choice } = route;
      const sent = await this.#sender.sendOnce(message, choice, provider, {
        ...context,
        msgid: route.chosenId,
      });
      route.ended();
      // Normally the same object; else one the provider made of it.
      return sent as OutgoingMessage<Route>;
    } catch (error) {
      // What a hook threw came after the provider's yes.
      if (message.sentAt !== null) route.ended();
      else route.failed(error);
      throw error;
    }
  }

  /**
   * Which provider `send` would use and why, in how many segments and at what
   * cost, and what would hold it now. Sends and counts nothing, and leaves the
   * message as it is.
   */
  async explain(
    message: OutgoingMessage<Route>,
    { project }: Pick<AttemptContext, "project"> = {},
  ): Promise<Explanation> {
    checkMessage(message, "explain");
    return explain(message, {
      chooseRoute: (copy) => this.#chooseRoute(copy),
      policy: this.policy,
      optOut: this.optOut,
      hasProvider: (name) => this.#providers.has(name),
      isPaused: (name) => this.#paused.has(name),
      textLimits: (name) => this.#sender.limitsOf(this.#providers.find(name)),
      findHold: (copy, name, costPerSegment) =>
        this.#findHold(copy, name, costPerSegment, project),
    });
  }

  /**
   * How a provider is to be asked for states. Undefined: there is none of this
   * name, or its carrier is not asked.
   */
  pollingOf(name: string): StatusPolling | undefined {
    return this.#providers.find(name)?.polling;
  }

  /**
   * Asks a provider what became of messages that went through it, at most
   * `batchSize` of its `polling`. Answers what the carrier knows; the hooks are
   * not called. Rejects with `UnknownProviderError`, `ConfigurationError` if the
   * carrier cannot be asked, the provider's `ProviderError`, or the reason of an
   * abort. A provider that is removed meanwhile answers first.
   */
  async fetchStatuses(
    name: string,
    msgids: readonly string[],
    { signal }: SendContext = {},
  ): Promise<readonly MessageStatus[]> {
    const provider = this.#providers.get(name, "asked for states");
    const release = this.#sender.hold(provider);
    try {
      const starting = this.#providers.whenStarted(provider);
      if (starting !== undefined) await untilAborted(starting, signal);
      return await fetchStatuses(provider, msgids, {
        clock: this.#clock,
        timeoutMs: provider.sendTimeoutMs ?? this.#sendTimeoutMs,
        signal,
      });
    } finally {
      release();
    }
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
    return toFetchHandler(this.receiverHandler(options));
  }

  /**
   * Starts the providers in the order of registration, each once, however often
   * it is called. If one fails, those before it are stopped again and its error
   * is thrown; the same when the signal is aborted, with its reason.
   */
  start(context: StartContext = {}): Promise<void> {
    return this.#inTurn(async () => {
      this.policy?.checkProviders(this.#providers.all.keys());
      await this.#providers.start(context);
      this.#sender.open();
      this.#isWatching = true;
      this.#receipts?.start();
    });
  }

  /**
   * Lets nothing more be sent, waits until no provider has a message any more,
   * and stops the started providers, last first, all of them even if some fail;
   * then throws what failed. Safe to call again; `start` undoes it.
   */
  stop(): Promise<void> {
    return this.#inTurn(async () => {
      this.#isWatching = false;
      await Promise.all([this.#receipts?.stop(), this.#formerReceipts?.stop()]);
      await this.#sender.close();
      await this.#providers.stop();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  now(): number {
    return this.#clock.now();
  }

  /** For providers: a fresh id. */
  newId(): string {
    return this.#newId();
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
    this.#formerReceipts?.handle(status);
  }

  #createReceiptFailover(
    policy: DeliveryPolicy | undefined,
  ): ReceiptFailover | undefined {
    const receipts = policy?.data.failover?.receipts;
    if (policy === undefined || receipts === undefined) return undefined;
    const watch: ReceiptFailover = new ReceiptFailover(receipts, {
      clock: this.#clock,
      onFailover: policy.onFailover,
      send: (message, candidates, rule) =>
        this.#sender.sendAlong(message, candidates, rule, policy, watch, {}),
    });
    return watch;
  }

  async #retire(provider: Provider): Promise<void> {
    await this.#sender.whenIdle(provider);
    await this.#providers.stopOne(provider);
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#lifecycle.then(work);
    this.#lifecycle = done.catch(() => {
      // Whoever called has the error.
    });
    return done;
  }

  async #sendBy(
    route: ChosenRoute,
    message: OutgoingMessage,
    context: SendContext,
  ): Promise<OutgoingMessage> {
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
    // It may have been removed since it was chosen.
    const name =
      by === "default"
        ? (this.defaultProvider ?? route.provider)
        : route.provider;
    const provider = this.#providers.get(name, askedFor[by]);
    if (this.#paused.has(name)) throw pausedError([{ provider: name }]);
    const choice = { by, provider: provider.name };
    return this.#sender.sendOnce(message, choice, provider, context);
  }

  async #routeNext(message: OutgoingMessage, tried: readonly TriedProvider[]) {
    try {
      return this.#routeAttempt(await this.#chooseRoute(message), tried);
    } catch (error) {
      if (!(error instanceof RouterError)) throw error;
      this.onRouterError.emit(error).catch(() => {
        // Who tells of it changes nothing of it.
      });
      const problem = error.retryable ? "wait" : "failed";
      return { problem, error: `${error.message}.` } as const;
    }
  }

  #routeAttempt(route: ChosenRoute, tried: readonly TriedProvider[]) {
    return routeAttempt(route, tried, {
      has: (name) => this.#providers.has(name),
      isPaused: (name) => this.#paused.has(name),
      hold: (name) => {
        const provider = this.#providers.find(name);
        if (provider === undefined) return undefined;
        const chosenId = provider.chooseId?.();
        const release = this.#sender.hold(provider);
        return { provider, release, ...(chosenId && { chosenId }) };
      },
    });
  }

  async #findHold(
    message: OutgoingMessage,
    name: string,
    costPerSegment: number | undefined,
    project: string | undefined,
  ): Promise<Hold | undefined> {
    const { guard } = this;
    const provider = this.#providers.find(name);
    if (!guard || !provider?.reachesPhones) return undefined;
    const ports = this.#guardedPorts(guard);
    return await guard.look({
      ...toGuardedText(message, provider, costPerSegment, ports),
      ...(project !== undefined && { project }),
    });
  }

  #guardedPorts({ rules }: Guard): GuardedTextPorts {
    return {
      rules,
      currency: this.policy?.data.currency,
      find: (name) => this.#providers.find(name),
      limitsOf: (provider) => this.#sender.limitsOf(provider),
    };
  }

  #chooseRoute(message: OutgoingMessage): Promise<ChosenRoute> {
    const { recipientRouter } = this;
    const ports = { clock: this.#clock, newId: this.#newId };
    return chooseRoute(message, {
      askRouter:
        recipientRouter && ((it) => askRouter(recipientRouter, it, ports)),
      // The values were given to `route` of a message of this gateway's type.
      router: this.router as Router<readonly unknown[]>,
      policy: this.policy,
      defaultProvider: this.defaultProvider,
    });
  }
}

function checkMessage(message: unknown, method: string): void {
  if (!(message instanceof OutgoingMessage)) {
    throw new ConfigurationError(
      `${method} takes a message, got ${describeValue(message)}: ` +
        `gateway.${method}(new OutgoingMessage("+420 777 123 456", "Hello"))`,
    );
  }
  checkContent(message);
}

function checkRouter(router: unknown): void {
  if (router === undefined || typeof router === "function") return;
  throw new ConfigurationError(
    `The router must be a function, got ${describeValue(router)}`,
  );
}

function checkOptions<Route extends readonly unknown[]>(
  options: GatewayOptions<Route>,
): void {
  const { router, policy, optOut } = options;
  checkRouter(router);
  checkRouter(options.recipientRouter);
  checkPolicy(policy);
  checkOptOut(optOut);
  const { guard } = options;
  if (guard !== undefined && !(guard instanceof Guard)) {
    throw new ConfigurationError(
      `The option "guard" must be a Guard, got ${describeValue(guard)}`,
    );
  }
}

function checkPolicy(policy: unknown): void {
  if (policy === undefined || policy instanceof DeliveryPolicy) return;
  throw new ConfigurationError(
    `The option "policy" must be a DeliveryPolicy, got ${describeValue(policy)}`,
  );
}

function checkOptOut(optOut: unknown): void {
  if (optOut === undefined || optOut instanceof OptOut) return;
  throw new ConfigurationError(
    `The option "optOut" must be a OptOut, got ${describeValue(optOut)}`,
  );
}

function isProviderClass(value: object): boolean {
  return "prototype" in value && value.prototype instanceof Provider;
}

/** Who wanted a provider, for the error when there is none of its name. */
const askedFor = {
  explicit: "named by the message",
  router: "named by the router",
  default: "the default",
} as const;
