/** Fetching from a mailbox with leases, whoever's credentials it is by. */

import type { Api } from "../api.ts";
import { defaultFollowTiming, type FollowTiming } from "../followed-stream.ts";
import {
  findNumber,
  findText,
  type JsonObject,
  readObjects,
  readText,
} from "../json.ts";
import type { RequestOptions } from "../transport.ts";
import { createLeases, type Leases } from "./leases.ts";
import { type StreamOptions, streamMessages } from "./message-stream.ts";
import { type PulledMessage, toLeasedMessage } from "./pulled-message.ts";

/** How messages are fetched. */
export interface ReceiveOptions extends RequestOptions {
  /** 1 to 100. Default 10. */
  readonly max?: number | undefined;
  /** Waits so long for the first one: up to 60. Default 0. */
  readonly waitSeconds?: number | undefined;
  /** 5 to 43,200. Default: as the server is set up, a minute unless it says so. */
  readonly leaseSeconds?: number | undefined;
}

/** A message that was handed out as often as may be, or found no room. */
export interface DeadMessage extends JsonObject {
  readonly id: string;
  /** How often it was handed out; 0: the mailbox never took it. */
  readonly deliveryCount: number;
  /** Why it is not handed out any more. */
  readonly reason: string;
  readonly diedAt: string;
  /** When it was accepted. */
  readonly createdAt: string;
}

/** How dead messages are listed. */
export interface DeadMessageOptions extends RequestOptions {
  /** Messages per request. Default 100. */
  readonly limit?: number | undefined;
}

/** A mailbox, and what its consumers do with it. */
export interface PullQueue extends Leases {
  /**
   * Leases messages, oldest first; an empty list when there are none in time. What
   * an aborted request would have brought comes again, after the lease.
   */
  receive(options?: ReceiveOptions): Promise<readonly PulledMessage[]>;
  /**
   * Messages as they come, until the loop is left or the signal aborts:
   *
   * ```ts
   * for await (const message of queue.stream({ signal })) {
   *   await handle(message);
   *   await message.ack();
   * }
   * ```
   *
   * A connection that breaks is opened again where it was. Leaving the loop, by an
   * exception too, gives the message back that was neither acked nor nacked.
   */
  stream(
    options?: StreamOptions,
  ): AsyncGenerator<PulledMessage, void, undefined>;
  /** The dead-letter list, oldest message first. */
  dead(
    options?: DeadMessageOptions,
  ): AsyncGenerator<DeadMessage, void, undefined>;
  /**
   * Dead messages wait again, as if never handed out: those of the ids, or all.
   * Answers how many there were.
   */
  redrive(ids?: readonly string[], options?: RequestOptions): Promise<number>;
}

export function createPullQueue(
  api: Api,
  streams: Api<Response>,
  /** Name of a mailbox, or id or URN of a subscription that fills it. */
  mailbox: string,
  timing: FollowTiming = defaultFollowTiming,
): PullQueue {
  const leases = createLeases(api, mailbox, timing);
  const path = ["subscriptions", mailbox];
  return {
    ...leases,
    async receive({ max, waitSeconds, leaseSeconds, ...options } = {}) {
      const { list } = await api(
        {
          method: "GET",
          path: [...path, "messages"],
          query: { max, wait: waitSeconds, lease: leaseSeconds },
          waitMs: (waitSeconds ?? 0) * 1000,
          answersList: true,
        },
        options,
      );
      return list.map((fields) => toLeasedMessage(fields, leases).message);
    },
    stream: (options = {}) =>
      streamMessages({ streams, mailbox, leases, timing }, options),
    async *dead({ limit = 100, ...options } = {}) {
      let after: string | undefined;
      do {
        const query = { limit, after };
        const { body } = await api(
          { method: "GET", path: [...path, "dead"], query },
          options,
        );
        yield* readObjects(body, "dead").map(toDeadMessage);
        after = findText(body, "next");
      } while (after !== undefined);
    },
    async redrive(ids, options) {
      const redrive = async (ids?: readonly string[]) => {
        const request = {
          method: "POST",
          path: [...path, "dead:redrive"],
          body: { ids },
          isIdempotent: true,
          // All may be many.
          waitMs: 60_000,
        } as const;
        const { body } = await api(request, options);
        return findNumber(body, "redriven") ?? 0;
      };
      if (ids === undefined) return await redrive();
      let redriven = 0;
      for (let at = 0; at < ids.length; at += maxRedriven) {
        redriven += await redrive(ids.slice(at, at + maxRedriven));
      }
      return redriven;
    },
  };
}

/** Ids of one request. */
const maxRedriven = 100;

function toDeadMessage(fields: JsonObject): DeadMessage {
  return {
    ...fields,
    id: readText(fields, "id"),
    deliveryCount: findNumber(fields, "deliveryCount") ?? 0,
    reason: findText(fields, "reason") ?? "",
    diedAt: readText(fields, "diedAt"),
    createdAt: readText(fields, "createdAt"),
  };
}
