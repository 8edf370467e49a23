/**
 * Sends through another gateway, the forward server, which owns the carriers;
 * texts and statuses come back from it. Works with servers in Python too.
 */

import { ServerError } from "../../errors.ts";
import { IncomingMessage } from "../../incoming-message.ts";
import type { MessageStatus } from "../../message-status.ts";
import { OutgoingMessage } from "../../outgoing-message.ts";
import { Provider, type SendContext } from "../../provider.ts";
import { defineProviderType } from "../../provider-type.ts";
import type { Receiver } from "../../receiver.ts";
import {
  checkConfig,
  DEFAULT_TIMEOUT_MS,
  type ForwardClientConfig,
  forwardClientSchema,
} from "./config.ts";
import { forwardRoute, renderForwardError } from "./forward-route.ts";
import { ForwardPeer } from "./peer.ts";
import { RecentKeys } from "./recent-keys.ts";
import { SignatureVerifier } from "./signature.ts";
import { copyMessage, toStatus } from "./wire-objects.ts";

/** A provider whose carrier is another gateway. */
export class ForwardClientProvider extends Provider {
  // The carrier is the server's, and so are its limits.
  override readonly textLimits = null;
  override readonly sendTimeoutMs: number;
  readonly #config: ForwardClientConfig;
  readonly #server: ForwardPeer;
  readonly #recent: RecentKeys;
  readonly #verifier: SignatureVerifier | undefined;

  /** Throws `ConfigurationError` if `serverUrl` is no HTTP URL. */
  constructor(config: ForwardClientConfig) {
    super();
    const { secret } = checkConfig(config, "ForwardClientProvider");
    this.#config = config;
    // The request's own deadline says more of what happened; it begins once there
    // is a connection, for which a client may wait 8 s.
    this.sendTimeoutMs = (config.timeoutMs ?? DEFAULT_TIMEOUT_MS) + 9000;
    this.#verifier = secret ? new SignatureVerifier(secret) : undefined;
    this.#server = new ForwardPeer(config.serverUrl, config);
    this.#recent = new RecentKeys(config.dedupe ?? 0);
  }

  /**
   * Every field of the message the server sent comes back onto this one, its
   * `provider` too: afterwards it is the name of the server's provider.
   */
  override async send(
    message: OutgoingMessage,
    context: SendContext = {},
  ): Promise<OutgoingMessage> {
    const { gateway } = this;
    const { signal } = context;
    const sent = await this.#server.post(
      "/im",
      "message",
      message,
      gateway,
      signal,
    );
    if (!(sent instanceof OutgoingMessage)) {
      throw new ServerError("The forward server sent back no message", {
        outcomeUnknown: true,
      });
    }
    copyMessage(sent, message);
    return message;
  }

  /** Takes texts at `/im` and statuses at `/status`. */
  override receiver(): Receiver {
    const host = this.gateway;
    const { auth } = this.#config;
    const verifier = this.#verifier;
    return {
      renderError: renderForwardError,
      routes: [
        forwardRoute<IncomingMessage>({
          path: "/im",
          key: "message",
          host,
          auth,
          verifier,
          accept: (v) => (v instanceof IncomingMessage ? v : undefined),
          process: async (message) => {
            const { msgid, provider } = message;
            const key = msgid === null ? undefined : `im|${provider}|${msgid}`;
            // Straight to the gateway: the provider's name is the server's.
            message.entry = this.name;
            await this.#once(key, () => host.receive(message));
            return message;
          },
        }),
        forwardRoute<MessageStatus>({
          path: "/status",
          key: "status",
          host,
          auth,
          verifier,
          accept: toStatus,
          process: async (status) => {
            const { provider, msgid, kind, statusCode } = status;
            const key = `status|${provider}|${msgid}|${kind}|${statusCode}`;
            status.entry = this.name;
            await this.#once(key, () => host.report(status));
            return status;
          },
        }),
      ],
    };
  }

  async #once(
    key: string | undefined,
    run: () => Promise<void>,
  ): Promise<void> {
    await (key === undefined ? run() : this.#recent.once(key, run));
  }
}

export const forwardClientType = defineProviderType<ForwardClientConfig>({
  type: "forward-client",
  schema: forwardClientSchema,
  create: (settings) => new ForwardClientProvider(settings),
});
