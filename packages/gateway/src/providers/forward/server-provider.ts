/**
 * Lets other gateways, the forward clients, send through the carriers of this
 * one, and hands them the texts and statuses that come in. It cannot send by
 * itself. Works with clients in Python too.
 */

import { describeValue } from "../../describe-value.ts";
import { ConfigurationError } from "../../errors.ts";
import { IncomingMessage } from "../../incoming-message.ts";
import { MessageStatus } from "../../message-status.ts";
import { OutgoingMessage } from "../../outgoing-message.ts";
import { Provider, type ProviderHost } from "../../provider.ts";
import { defineProviderType } from "../../provider-type.ts";
import type { Receiver } from "../../receiver.ts";
import {
  checkConfig,
  type Forwardable,
  type ForwardServerConfig,
  forwardServerSchema,
} from "./config.ts";
import { forwardRoute, renderForwardError } from "./forward-route.ts";
import { ForwardPeer } from "./peer.ts";
import { SignatureVerifier } from "./signature.ts";

/** Serves the providers of this gateway to others. */
export class ForwardServerProvider extends Provider {
  override readonly textLimits = null;
  readonly #config: ForwardServerConfig;
  readonly #verifier: SignatureVerifier | undefined;
  readonly #peers = new Map<string, ForwardPeer>();
  readonly #detached = new AbortController();

  /** Throws `ConfigurationError` if a client is no HTTP URL. */
  constructor(config: ForwardServerConfig) {
    super();
    const { secret, clients } = checkConfig(config, "ForwardServerProvider");
    if (!Array.isArray(clients)) {
      throw new ConfigurationError(
        `ForwardServerProvider needs a list as clients, got ${describeValue(clients)}`,
      );
    }
    this.#config = config;
    this.#verifier = secret ? new SignatureVerifier(secret) : undefined;
    for (const url of clients) this.#peer(url);
  }

  /** From here on, everything the gateway receives is forwarded. */
  override attach(host: ProviderHost, name: string): void {
    super.attach(host, name);
    const { signal } = this.#detached;
    host.onReceive.add((message) => this.forward(message), { signal });
    host.onStatus.add((status) => this.forward(status), { signal });
  }

  /** What comes from here on is not forwarded. */
  override detach(): void {
    this.#detached.abort();
  }

  /**
   * Always rejects: a message that gets here was routed to the forward server
   * instead of a carrier, most likely because it is the default provider.
   */
  override async send(_message: OutgoingMessage): Promise<OutgoingMessage> {
    throw new ConfigurationError(
      `"${this.name}" is a forward server and cannot send; ` +
        "make another provider the default, and let no route lead here",
    );
  }

  /**
   * Which clients get an object: `chooseClients` of the configuration, else
   * all. Never called for outgoing messages.
   */
  chooseClients(
    object: Forwardable,
  ): readonly string[] | Promise<readonly string[]> {
    return this.#config.chooseClients?.(object) ?? this.#config.clients;
  }

  /**
   * Posts to all chosen clients at once and waits for every one; then rejects
   * with the first failure in their order, if there was any. The others are in
   * its `otherErrors`. The carrier will repeat what failed, also for clients
   * that already have it.
   */
  async forward(object: Forwardable): Promise<void> {
    const target = targetOf(object);
    const urls = await this.chooseClients(object);
    const errors = await this.#postAll(urls, (peer) =>
      peer.post(target.path, target.key, object, this.gateway),
    );
    const [first, ...others] = errors;
    if (errors.length === 0) return;
    if (first instanceof Error && others.length > 0) {
      Object.defineProperty(first, "otherErrors", {
        configurable: true,
        value: others,
      });
    }
    throw first;
  }

  /** Takes messages to send at `/im`. */
  override receiver(): Receiver {
    const host = this.gateway;
    return {
      renderError: renderForwardError,
      routes: [
        forwardRoute<OutgoingMessage>({
          path: "/im",
          key: "message",
          host,
          auth: this.#config.auth,
          verifier: this.#verifier,
          accept: (v) => (v instanceof OutgoingMessage ? v : undefined),
          process: (message) => {
            // The name is the client's; here our own routing decides.
            message.provider = null;
            const { messageClass } = message.providerOptions;
            const { exemptClasses = [] } = this.#config;
            const isTrusted =
              messageClass !== null && exemptClasses.includes(messageClass);
            message.optOutRule = isTrusted ? "by-class" : "always";
            return host.send(message);
          },
        }),
      ],
    };
  }

  async #postAll(
    urls: readonly string[],
    post: (peer: ForwardPeer) => Promise<unknown>,
  ): Promise<unknown[]> {
    const { concurrency = 16 } = this.#config;
    const outcomes: { error: unknown }[] = new Array(urls.length);
    const queue = urls.entries();
    const worker = async (): Promise<void> => {
      // Shared by all workers: each takes the next one that is left.
      for (const [index, url] of queue) {
        try {
          await post(this.#peer(url));
        } catch (error) {
          outcomes[index] = { error };
        }
      }
    };
    const workers = Math.min(Math.max(1, concurrency), urls.length);
    await Promise.all(Array.from({ length: workers }, worker));
    return outcomes.filter(Boolean).map(({ error }) => error);
  }

  #peer(url: string): ForwardPeer {
    let peer = this.#peers.get(url);
    if (peer === undefined) {
      peer = new ForwardPeer(url, this.#config);
      this.#peers.set(url, peer);
    }
    return peer;
  }
}

function targetOf(object: Forwardable): {
  readonly path: "/im" | "/status";
  readonly key: "message" | "status";
} {
  if (object instanceof IncomingMessage) return { path: "/im", key: "message" };
  if (object instanceof MessageStatus) {
    return { path: "/status", key: "status" };
  }
  throw new ConfigurationError(
    "Only incoming messages and statuses can be forwarded",
  );
}

export const forwardServerType = defineProviderType<ForwardServerConfig>({
  type: "forward-server",
  schema: forwardServerSchema,
  canSend: false,
  create: (settings) => new ForwardServerProvider(settings),
});
