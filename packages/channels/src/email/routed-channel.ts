/**
 * E-mail over several backends: the one that a message names, else the one that a
 * router names for the recipient, else the default.
 */

import {
  type AttemptResult,
  type AttemptSignals,
  type Channel,
  type Logger,
  type Message,
  orAborted,
  type PreparedMessage,
  type Recipient,
} from "@carillon/core";
import { Deadline } from "@carillon/gateway";
import { emailTimeoutMs } from "./channel.ts";
import { emailProtocol } from "./protocol.ts";

/** A mail as routers see it. */
export interface RoutedMail {
  readonly from?: string;
  readonly subject?: string;
  readonly tag?: string;
  readonly extraData: Readonly<Record<string, unknown>>;
}

// biome-ignore lint/suspicious/noConfusingVoidType: a router may return nothing
type RoutedName = string | null | undefined | void;

/**
 * An application's own choice of a backend, asked at each attempt at a mail that
 * names none. Nothing in place of a name: the default. It has a second.
 */
export type MailRouter = (
  recipient: string,
  mail: RoutedMail,
) => RoutedName | Promise<RoutedName>;

export interface RoutedChannelOptions {
  /** By their names; closed with the channel. */
  readonly backends: ReadonlyMap<string, Channel>;
  /** One of them. */
  readonly defaultName: string;
  readonly router?: MailRouter | undefined;
  readonly logger: Pick<Logger, "error">;
  /** Milliseconds that only go on. */
  readonly monotonic: () => number;
}

/** In milliseconds. */
export const mailRouterTimeoutMs = 1000;

/** All mails that are due ask it, and would fill the log. In milliseconds. */
const quietMs = 60_000;

export function createRoutedEmailChannel({
  backends,
  defaultName,
  router,
  logger,
  monotonic,
}: RoutedChannelOptions): Channel {
  let toldAt = Number.NEGATIVE_INFINITY;

  function routerFailed(error: unknown): AttemptResult {
    const now = monotonic();
    if (now - toldAt >= quietMs) {
      toldAt = now;
      logger.error("email_router_failed", { error });
    }
    return {
      outcome: "deferred",
      errorClass: "internal",
      error: "The router of mails failed.",
    };
  }

  async function askRouter(
    ask: MailRouter,
    { email, subject, tag, extraData = {} }: Message,
    { endpoint }: Recipient,
    signals: AttemptSignals | undefined,
  ): Promise<unknown> {
    const given: RoutedMail = {
      ...(email?.from !== undefined && { from: email.from }),
      ...(subject !== undefined && { subject }),
      ...(tag !== undefined && { tag }),
      extraData: structuredClone(extraData),
    };
    const answer = ask(endpoint, given);
    if (!(answer instanceof Promise)) return answer;
    const outer = signals?.signal;
    using deadline = new Deadline(
      mailRouterTimeoutMs,
      ...(outer ? [outer] : []),
    );
    return await orAborted(answer, deadline.signal);
  }

  function prepare(message: Message): PreparedMessage {
    const prepared = new Map<
      Channel,
      PreparedMessage | Promise<PreparedMessage>
    >();

    async function deliverBy(
      name: string,
      recipient: Recipient,
      signals: AttemptSignals | undefined,
    ): Promise<AttemptResult> {
      const channel = backends.get(name);
      if (channel === undefined) return noBackend(name);
      const ready = prepared.get(channel) ?? channel.prepare(message);
      prepared.set(channel, ready);
      return await (await ready).deliver(recipient, signals);
    }

    return {
      async deliver(recipient, signals) {
        const named = message.email?.backend;
        if (named !== undefined) {
          return await deliverBy(named, recipient, signals);
        }
        if (router === undefined) {
          return await deliverBy(defaultName, recipient, signals);
        }
        let answer: unknown;
        try {
          answer = await askRouter(router, message, recipient, signals);
        } catch (error) {
          return routerFailed(error);
        }
        const isNone = answer === undefined || answer === null || answer === "";
        if (isNone) return await deliverBy(defaultName, recipient, signals);
        if (typeof answer === "string") {
          return await deliverBy(answer, recipient, signals);
        }
        return routerFailed(
          new TypeError("The router must answer the name of a backend."),
        );
      },
    };
  }

  return {
    name: "email",
    protocols: [emailProtocol],
    kind: "push",
    timeoutMs: emailTimeoutMs + mailRouterTimeoutMs,
    // Those of the others wait with them: more would use up the paced one's attempts.
    maxInFlight() {
      const bounds = [...backends.values()].flatMap(
        (it) => it.maxInFlight?.() ?? [],
      );
      return bounds.length > 0 ? Math.min(...bounds) : undefined;
    },
    prepare,
    async close() {
      await Promise.all([...backends.values()].map((it) => it.close()));
    },
  };
}

/** It was asked for when the message was accepted; the set-up may have changed. */
function noBackend(name: string): AttemptResult {
  return {
    outcome: "rejected",
    errorClass: "internal",
    error: `There is no backend of mails called "${name.slice(0, 64)}".`,
  };
}
