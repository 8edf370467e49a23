/**
 * A channel for e-mail that leaves out who is on the suppression list. The list
 * is looked up for all mails that are attempted at once, in one question.
 */

import type {
  AttemptResult,
  Channel,
  EmailSuppression,
  Message,
  PreparedMessage,
  ProjectId,
  SuppressionKey,
} from "@carillon/core";
import { toAsciiMailAddress } from "./mail-address.ts";

/**
 * @throws CarillonError of a store: the mails are attempted again by the engine's
 * schedule, whatever rules of retries they have
 */
export type FindSuppressions = (
  keys: readonly SuppressionKey[],
) => Promise<readonly EmailSuppression[]>;

/** The address as the list has it: two that reach one mailbox are one. */
export function suppressionKeyOf(address: string): string {
  return toAsciiMailAddress(address).toLowerCase();
}

/** The channel with the list in front; it is closed with it. */
export function createSuppressingChannel(
  channel: Channel,
  find: FindSuppressions,
): Channel {
  const lookups = new Lookups(find);
  const wrap = (
    prepared: PreparedMessage,
    projectId: ProjectId,
  ): PreparedMessage => ({
    ...(prepared.chooseRoute && {
      chooseRoute: prepared.chooseRoute.bind(prepared),
    }),
    async deliver(
      ...[recipient, ...rest]: Parameters<PreparedMessage["deliver"]>
    ): Promise<AttemptResult> {
      const key = suppressionKeyOf(recipient.endpoint);
      let found: EmailSuppression | undefined;
      try {
        found = await lookups.find({ projectId, key });
      } catch {
        // The store tells its own failures.
        return unreadable;
      }
      return found
        ? suppressedBy(found)
        : await prepared.deliver(recipient, ...rest);
    },
  });
  return {
    name: channel.name,
    protocols: channel.protocols,
    kind: channel.kind,
    timeoutMs: channel.timeoutMs,
    ...(channel.isSetUp && { isSetUp: () => channel.isSetUp?.() === true }),
    ...(channel.maxInFlight && {
      maxInFlight: () => channel.maxInFlight?.(),
    }),
    ...(channel.polls && { polls: channel.polls }),
    prepare(message: Message) {
      const prepared = channel.prepare(message);
      const { projectId } = message;
      return prepared instanceof Promise
        ? prepared.then((it) => wrap(it, projectId))
        : wrap(prepared, projectId);
    },
    close: () => channel.close(),
  };
}

/** Of one question; more than an engine has under way by default. */
const maxKeys = 500;

interface Waiting extends SuppressionKey {
  readonly resolve: (found: EmailSuppression | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Collects what is asked in one turn of the event loop. */
class Lookups {
  readonly #find: FindSuppressions;
  #waiting: Waiting[] = [];

  constructor(find: FindSuppressions) {
    this.#find = find;
  }

  find(key: SuppressionKey): Promise<EmailSuppression | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#askAll());
      this.#waiting.push({ ...key, resolve, reject });
    });
  }

  #askAll(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let n = 0; n < waiting.length; n += maxKeys) {
      void this.#ask(waiting.slice(n, n + maxKeys));
    }
  }

  async #ask(waiting: readonly Waiting[]): Promise<void> {
    try {
      const keys = waiting.map(({ projectId, key }) => ({ projectId, key }));
      const found = new Map<string, EmailSuppression>();
      for (const one of await this.#find(keys)) found.set(textOf(one), one);
      for (const one of waiting) one.resolve(found.get(textOf(one)));
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }
}

function textOf({ projectId, key }: SuppressionKey): string {
  return `${projectId} ${key}`;
}

function suppressedBy({ reason, detail }: EmailSuppression): AttemptResult {
  const why = {
    bounced: "a mail to it came back",
    complained: "its owner called a mail spam",
    manual: "somebody put it there",
  }[reason];
  return {
    outcome: "suppressed",
    errorClass: "guard",
    error: `The address is on the suppression list: ${why}${detail === undefined ? "" : ` (${detail.slice(0, 200)})`}.`,
  };
}

const unreadable: AttemptResult = {
  outcome: "deferred",
  errorClass: "internal",
  error: "The suppression list could not be read.",
};
