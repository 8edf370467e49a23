/** The messages of a mailbox as they come, over broken connections. */

import type { Api } from "../api.ts";
import { ResourceNotFoundError } from "../errors.ts";
import {
  type EndOfStream,
  type FollowedEvent,
  type FollowOptions,
  type FollowTiming,
  followStream,
} from "../followed-stream.ts";
import { parseObject } from "../json.ts";
import type { Leases } from "./leases.ts";
import {
  type LeasedMessage,
  type PulledMessage,
  toLeasedMessage,
} from "./pulled-message.ts";
import { ReadAhead } from "./read-ahead.ts";

/** How messages are streamed. */
export interface StreamOptions extends FollowOptions {
  /**
   * How many messages may be on their way or unsettled, 1 to 1000; those behind the
   * current one wait here. Default 16.
   */
  readonly credit?: number | undefined;
  /**
   * How long each lease is, 5 s to 12 h. Default: as the server is set up, which is
   * a minute unless it says otherwise.
   */
  readonly leaseMs?: number | undefined;
}

const defaultCredit = 16;
/** Where a message's own lease does not make sense: clocks may differ. */
const defaultLeaseMs = 60_000;

/** What the server lets a lease be extended by. */
const shortestLeaseMs = 5000;
const longestLeaseMs = 43_200_000;

/** Leases that are remembered, to drop what comes twice; far above any credit. */
const maxKnownLeases = 10_000;

/** How long giving back may take when a loop is left. */
const giveBackMs = 5000;

export interface MessageSource {
  /** A stream's answer, and the mailbox as in `/subscriptions/{mailbox}`. */
  readonly streams: Api<Response>;
  readonly mailbox: string;
  readonly leases: Leases;
  readonly timing: FollowTiming;
}

/**
 * When the loop over it is left, the message of that turn is given back unless it is
 * settled, and so is what came behind it. Messages of earlier turns keep their lease:
 * they may still be settled.
 */
export async function* streamMessages(
  { streams, mailbox, leases, timing }: MessageSource,
  { credit, leaseMs, signal, onConnection }: StreamOptions,
): AsyncGenerator<PulledMessage, void, undefined> {
  signal?.throwIfAborted();
  const leaseSeconds = leaseMs && Math.ceil(leaseMs / 1000);
  const connection = new AbortController();
  const leave = () => connection.abort(signal?.reason);
  signal?.addEventListener("abort", leave, { once: true });
  const events = followStream(
    {
      open: (lastEventId, signal) => {
        const path = ["subscriptions", mailbox, "stream"];
        const query = { credit, lease: leaseSeconds };
        return streams({ method: "GET", path, query, lastEventId }, { signal });
      },
      onEnd: (reason) => toEnd(reason, mailbox),
    },
    { signal: connection.signal, onConnection },
    timing,
  );
  const ahead = new ReadAhead(
    arrivals(events, leases),
    credit ?? defaultCredit,
  );
  let current: LeasedMessage | undefined;
  try {
    for (;;) {
      const { arrivedAt, leftMs, ...leased } = await ahead.next();
      current = leased;
      const waitedMs = performance.now() - arrivedAt;
      // Never less than it had: the server's own leases may be long.
      const fullMs = leaseMs ?? leftMs ?? defaultLeaseMs;
      // It waited for its turn so long that its handler would be left too little.
      if (waitedMs > fullMs / 2) {
        const seconds = Math.ceil(Math.max(fullMs, shortestLeaseMs) / 1000);
        if (!(await leased.message.extend(seconds, { signal }))) continue;
      }
      signal?.throwIfAborted();
      yield leased.message;
      current = undefined;
    }
  } finally {
    signal?.removeEventListener("abort", leave);
    connection.abort();
    const left = [current, ...(await ahead.rest())];
    await giveBack(leases, left);
  }
}

interface Arrival extends LeasedMessage {
  /** By the clock of `performance`. */
  readonly arrivedAt: number;
  /** Of its lease, by then. */
  readonly leftMs: number | undefined;
}

/** Each lease once, whatever comes again when a connection is resumed. */
async function* arrivals(
  events: AsyncIterable<FollowedEvent>,
  leases: Leases,
): AsyncGenerator<Arrival, void, undefined> {
  const known = new Set<string>();
  for await (const { event, data } of events) {
    if (event !== "message") continue;
    const leased = toLeasedMessage(parseObject(data) ?? {}, leases);
    const { leaseId } = leased.message;
    if (known.has(leaseId)) continue;
    known.add(leaseId);
    if (known.size > maxKnownLeases) {
      for (const oldest of known) {
        known.delete(oldest);
        break;
      }
    }
    const leftMs = findLeftMs(leased.message);
    yield { ...leased, arrivedAt: performance.now(), leftMs };
  }
}

/** `undefined`: the server's clock and this one have too little in common. */
function findLeftMs({ leaseUntil }: PulledMessage): number | undefined {
  const leftMs = Date.parse(leaseUntil) - Date.now();
  return leftMs > 0 && leftMs <= longestLeaseMs ? leftMs : undefined;
}

/** @throws ResourceNotFoundError when there is nothing to go on with */
function toEnd(reason: string | undefined, mailbox: string): EndOfStream {
  switch (reason) {
    case "renew":
      return "at-once";
    case "resumed_elsewhere":
      // What came last is another's to go on behind.
      return "afresh";
    case "mailbox_gone":
      throw new ResourceNotFoundError(
        `The mailbox of "${mailbox}" was deleted or disabled.`,
        { status: 404 },
      );
    default:
      return "later";
  }
}

async function giveBack(
  leases: Leases,
  left: readonly (LeasedMessage | undefined)[],
): Promise<void> {
  const open = left.flatMap((leased) =>
    leased?.isOpen() ? [leased.message] : [],
  );
  if (open.length === 0) return;
  const signal = AbortSignal.timeout(giveBackMs);
  // Without it they come again when their leases end.
  await leases.nack(open, { signal }).catch(() => {});
}
