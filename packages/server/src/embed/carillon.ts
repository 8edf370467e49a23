/** A service in the program that opened it. */

import {
  CarillonError,
  formatTopicUrn,
  type StoredMessages,
} from "@carillon/core";
import { equalsConstantTime, toFetchHandler } from "@carillon/gateway";
import type { CloseOptions } from "../compose.ts";
import type { FirstCredentials } from "../credentials-keeper.ts";
import type { OpenService } from "../open-service.ts";
import {
  invalid,
  type MailContent,
  type MailOptions,
  membersOf,
  type TextContent,
  type TextOptions,
} from "./message-requests.ts";
import {
  createOwnBatches,
  createOwnDeliveryChecks,
  type OwnBatches,
  type OwnDeliveryChecks,
} from "./own-batches.ts";
import { createOwnMessages, type OwnMessages } from "./own-messages.ts";
import { createOwnTemplates, type OwnTemplates } from "./own-templates.ts";

/** What is published to the subscribers of a topic. */
export interface TopicPublication {
  readonly text: string;
  readonly subject?: string | undefined;
  /** A label to find messages by. */
  readonly tag?: string | undefined;
  /** How long it is attempted. Default: as configured for each channel. */
  readonly timeToLiveSeconds?: number | undefined;
}

/** A handler of the Fetch API for what carriers call. */
export type ReceiverFetch = (
  request: Request,
  context?: {
    /** Of the caller, where the platform knows it. */
    readonly remoteAddress?: string;
    /** The URL that the carrier called, where that of the request is another. */
    readonly url?: string;
  },
) => Promise<Response>;

/** A service that runs; it is closed at the end of an `await using` block. */
export interface Carillon extends AsyncDisposable {
  /** Stored text messages. */
  readonly sms: OwnMessages<TextContent, TextOptions> &
    OwnBatches &
    OwnDeliveryChecks;
  /** Stored mails. */
  readonly email: OwnMessages<MailContent, MailOptions> & OwnBatches;
  /** What `sendTemplate` renders, by channel and slug. */
  readonly templates: OwnTemplates;
  /** The project that all of it belongs to: the one of the first start. */
  readonly projectId: string;
  /**
   * Whom the first start made, with the secrets that API clients need: they are
   * handed over this once. Absent at later starts.
   */
  readonly credentials: FirstCredentials | undefined;
  /** Where it answers, without a slash at the end; absent until it listens. */
  readonly url: string | undefined;
  /**
   * Aborted when the service cannot go on (its store can never write again in
   * this process); the reason says why. To be closed and opened anew.
   */
  readonly failed: AbortSignal;
  /**
   * Publishes to the subscribers of a topic of this project; resolves once it is
   * on disk.
   *
   * @throws CarillonError TOPIC_URN_INVALID, TOPIC_NOT_FOUND, MESSAGE_INVALID,
   * SUBJECT_INVALID, SHUTTING_DOWN; RequestError REQUEST_INVALID
   */
  publish(
    topic: string,
    publication: TopicPublication,
  ): Promise<{ readonly messageId: string }>;
  /**
   * Starts the HTTP server with every API, in this process, and answers its URL.
   * Default: at `host` and `port` of the settings. At the first start of the data
   * folder it writes `credentials.json` there, for clients on this machine.
   *
   * @throws ConfigError for an address that cannot be so, when it listens already,
   * and when `metricsPort` is taken; the error of the socket when it cannot
   * listen: another address may be tried then; CarillonError SHUTTING_DOWN
   */
  listen(address?: {
    readonly host?: string | undefined;
    /** 0 picks a free one. */
    readonly port?: number | undefined;
  }): Promise<string>;
  /**
   * A handler for the calls of carriers (receipts, texts from phones), for a
   * program with an HTTP server of its own; `listen` serves them by itself. It is
   * to be mounted at the root: it takes paths that begin with
   * {@link Carillon.receiverPath} and answers 404 to all others.
   */
  receiver(): ReceiverFetch;
  /**
   * `/receivers/` and a secret. A provider's calls go to this path, its name, and
   * `im` or `status`, below `publicUrl`.
   */
  readonly receiverPath: string;
  /**
   * Takes nothing more, finishes what is under way, closes all; idempotent. What
   * is not finished after some seconds, or when the signal is aborted, is
   * interrupted, and tried again after the next start: what may have been sent and
   * costs money is `unknown` then.
   */
  close(options?: CloseOptions): Promise<void>;
}

/** What a service is to the program that it is part of. */
export function toCarillon(
  opened: OpenService,
  listen: Carillon["listen"],
): Carillon {
  const { service, gateway } = opened;
  const { projectId, receiverSecret, batchSender, deliveryChecks } = service;
  let isOpen = true;
  const parts = { projectId, isOpen: () => isOpen };
  const own = <Content, Options>(
    channel: "sms" | "email",
    messages: StoredMessages,
  ) => ({
    ...createOwnMessages<Content, Options>({ ...parts, channel, messages }),
    ...createOwnBatches({ channel, batchSender, isOpen: parts.isOpen }),
  });
  const receiverPath = `/receivers/${receiverSecret}`;
  const close = (options?: CloseOptions) => {
    isOpen = false;
    return opened.close(options);
  };
  return {
    sms: {
      ...own<TextContent, TextOptions>("sms", service.stored.sms),
      ...createOwnDeliveryChecks({ deliveryChecks, isOpen: parts.isOpen }),
    },
    email: own<MailContent, MailOptions>("email", service.stored.email),
    templates: createOwnTemplates({
      ...parts,
      templates: service.storedTemplates,
    }),
    projectId,
    get credentials() {
      return opened.credentials;
    },
    get url() {
      return opened.url || undefined;
    },
    failed: opened.failed,
    async publish(topic, publication) {
      if (!isOpen) throw new CarillonError("SHUTTING_DOWN");
      const { timeToLiveSeconds, ...request } = membersOf(
        publication,
        publicationMembers,
      );
      if (typeof topic !== "string") {
        throw invalid("The name of a topic is expected.");
      }
      const { region } = opened.config;
      const urn = formatTopicUrn({ region, projectId, topicName: topic });
      const { messageId } = await service.engine.publisher.publish(
        projectId,
        urn,
        { ...request, timeToLive: timeToLiveSeconds },
      );
      return { messageId };
    },
    listen,
    receiver() {
      const handler = toFetchHandler(
        gateway.receiverHandler({
          prefix: receiverPath,
          onError: (error, { method }) =>
            opened.logger.error("receiver_failed", { method, error }),
        }),
      );
      return async (request, context) => {
        const [, first, secret = ""] = new URL(request.url).pathname.split("/");
        // Compared here: a search for the route would take longer the more of
        // the secret is right.
        if (
          first !== "receivers" ||
          !equalsConstantTime(secret, receiverSecret)
        ) {
          return new Response("Not found\n", { status: 404 });
        }
        return handler(request, context);
      };
    },
    receiverPath,
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

const publicationMembers = ["text", "subject", "tag", "timeToLiveSeconds"];
