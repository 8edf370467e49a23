/**
 * One listener's stream of events (SSE). At most 50 events a second are written
 * one by one; what is beyond them, or comes while the client does not read, is
 * counted by type and told in a `summary`, so that sums are exact and a client
 * that never reads costs a few numbers.
 *
 * The id of an event says how far the feed was told with it: a position, and
 * after a dot how many events of the batch behind it.
 */

import type {
  Clock,
  EventType,
  FeedPosition,
  ProjectId,
  Timer,
} from "@carillon/core";
import type { ToldBatch, ToldChange } from "./told-batch.ts";

/** What a listener wants; what is absent does not filter. */
export interface EventFilter {
  readonly projectId: ProjectId;
  readonly types?: ReadonlySet<EventType> | undefined;
  readonly topicUrn?: string | undefined;
  readonly messageId?: string | undefined;
  readonly protocol?: string | undefined;
}

/** Where a listener's stream goes; a Writable, narrowed. */
export interface EventOutput {
  /** False: it takes no more for now, and says so with `drain`. */
  write(text: string): boolean;
  end(): void;
  on(event: "drain" | "close", listener: () => void): unknown;
}

export interface EventListenerPorts {
  readonly clock: Clock;
  readonly output: EventOutput;
  /** Cuts the connection of a client that does not read. */
  readonly cut: () => void;
  /** The stream has ended, for whatever reason. */
  readonly onClosed: () => void;
  /** It was cut; it had taken nothing for so many milliseconds. */
  readonly onDropped: (durationMs: number) => void;
}

/** Where in the feed a listener stands. */
export interface ListenerPosition {
  readonly position: FeedPosition;
  /** Events of the batch behind it that are told already. */
  readonly offset: number;
}

export const eventsPerSecond = 50;
const windowMs = 1000;
const heartbeatMs = 15_000;
/** A client that takes nothing for so long is disconnected. */
export const maxBlockedMs = 30_000;
/** After this long the client asks again, with credentials that still hold. */
export const maxStreamMs = 600_000;

export class EventListener {
  readonly filter: EventFilter;
  readonly #ports: EventListenerPorts;
  readonly #startedAt: number;
  #at: ListenerPosition;
  #isClosed = false;
  #blockedSince: number | undefined;
  #windowEnd = 0;
  #left = eventsPerSecond;
  /** By type, what was not written one by one. */
  readonly #counts = new Map<EventType, number>();
  #lastAt = "";
  #timer: Timer | undefined;
  #lastWrite: number;

  constructor(
    filter: EventFilter,
    at: ListenerPosition,
    ports: EventListenerPorts,
  ) {
    this.filter = filter;
    this.#at = at;
    this.#ports = ports;
    this.#startedAt = ports.clock.monotonic();
    this.#lastWrite = this.#startedAt;
    const { output } = ports;
    output.on("drain", () => {
      this.#blockedSince = undefined;
    });
    output.on("close", () => this.#close());
    // A client that is cut off before its first event goes on here.
    this.#write(`retry: 1000\nid: ${idOf(at)}\n\n`);
    this.#tick();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get at(): ListenerPosition {
    return this.#at;
  }

  /** What follows its position cannot be told: it goes on at another. */
  gap(position: FeedPosition): void {
    const from = idOf(this.#at);
    this.#at = { position, offset: 0 };
    this.#event("gap", idOf(this.#at), JSON.stringify({ from }));
  }

  /** Nothing follows its position yet, so that nothing of that was told. */
  dropOffset(): void {
    if (this.#at.offset === 0) return;
    this.#at = { position: this.#at.position, offset: 0 };
  }

  /**
   * Tells a batch, if it is the one behind its position: one that was told, or
   * that others wait for, changes nothing. After a failure it stands behind the
   * last event that was told.
   */
  async take(batch: ToldBatch): Promise<void> {
    if (this.#isClosed || batch.before !== this.#at.position) return;
    if (batch.isUnreadable) {
      this.gap(batch.position);
      return;
    }
    let offset = 0;
    for (const { count, told } of batch.changes) {
      const from = Math.max(0, this.#at.offset - offset);
      if (from < count && told && this.#wants(told)) {
        await this.#tell(batch, told, offset, from);
      }
      if (this.#isClosed) return;
      offset += count;
    }
    this.#at = { position: batch.position, offset: 0 };
  }

  /** Ends the stream; its client goes on elsewhere, or later. */
  end(reason: "stopping" | "renew"): void {
    if (this.#isClosed) return;
    this.#flush();
    this.#event("end", undefined, JSON.stringify({ reason }));
    this.#ports.output.end();
    this.#close();
  }

  #wants({
    projectId,
    type,
    topicUrn,
    several,
    messageId,
  }: ToldChange): boolean {
    const { filter } = this;
    return (
      filter.projectId === projectId &&
      (filter.types === undefined || filter.types.has(type)) &&
      (filter.topicUrn === undefined ||
        filter.topicUrn === topicUrn ||
        several?.topicUrns.includes(filter.topicUrn) === true) &&
      (filter.messageId === undefined || filter.messageId === messageId)
    );
  }

  /** Tells the events of a change from the `from`th on. */
  async #tell(
    { before, at }: ToldBatch,
    change: ToldChange,
    offset: number,
    from: number,
  ): Promise<void> {
    const isMeant = await this.#chooser(change);
    for (let n = from; n < change.count; ) {
      const room = this.#room();
      if (room === 0) {
        let rest = 0;
        for (let at = n; at < change.count; at++) if (isMeant(at)) rest++;
        this.#count(change.type, rest, at);
        this.#at = { position: before, offset: offset + change.count };
        return;
      }
      const to = Math.min(change.count, n + room);
      const texts = await change.texts(n, to);
      if (this.#isClosed) return;
      for (const text of texts) {
        // The client may have stopped reading since.
        if (this.#room() === 0) break;
        const isNext = isMeant(n);
        n++;
        this.#at = { position: before, offset: offset + n };
        if (!isNext) continue;
        this.#left--;
        this.#event(change.type, idOf(this.#at), text);
      }
    }
  }

  /** Says of each event of a change that is wanted whether it is, too. */
  async #chooser(change: ToldChange): Promise<(n: number) => boolean> {
    const { protocol, topicUrn } = this.filter;
    const protocols =
      protocol === undefined ? undefined : await change.protocols();
    const topicUrns =
      topicUrn === undefined ? undefined : await change.several?.ofEvents();
    return (n) =>
      (!protocols || protocols[n] === protocol) &&
      (!topicUrns || topicUrns[n] === topicUrn);
  }

  /** How many events may be written one by one now. */
  #room(): number {
    if (this.#counts.size > 0 || this.#blockedSince !== undefined) return 0;
    const now = this.#ports.clock.monotonic();
    if (now >= this.#windowEnd) {
      this.#windowEnd = now + windowMs;
      this.#left = eventsPerSecond;
    }
    return this.#left;
  }

  #count(type: EventType, count: number, at: string): void {
    if (count === 0) return;
    this.#counts.set(type, (this.#counts.get(type) ?? 0) + count);
    this.#lastAt = at;
  }

  /** Once a second; one timer for all that a listener waits for. */
  #tick(): void {
    this.#timer = this.#ports.clock.setTimer(windowMs, () => this.#tick());
    const now = this.#ports.clock.monotonic();
    if (this.#blockedSince !== undefined) {
      const durationMs = now - this.#blockedSince;
      if (durationMs < maxBlockedMs) return;
      this.#ports.onDropped(Math.round(durationMs));
      this.#close();
      this.#ports.cut();
      return;
    }
    if (now >= this.#windowEnd) this.#flush();
    // Says how far the feed was looked through, too.
    if (now - this.#lastWrite >= heartbeatMs && this.#counts.size === 0) {
      this.#write(`:\nid: ${idOf(this.#at)}\n\n`);
    }
    if (now - this.#startedAt >= maxStreamMs) this.end("renew");
  }

  /** Tells what was counted. */
  #flush(): void {
    if (this.#counts.size === 0 || this.#blockedSince !== undefined) return;
    const counts = Object.fromEntries(this.#counts);
    this.#counts.clear();
    const text = JSON.stringify({ at: this.#lastAt, counts });
    this.#event("summary", idOf(this.#at), text);
  }

  #event(name: string, id: string | undefined, text: string): void {
    const idLine = id === undefined ? "" : `id: ${id}\n`;
    this.#write(`event: ${name}\n${idLine}data: ${text}\n\n`);
  }

  #write(text: string): void {
    if (this.#isClosed) return;
    this.#lastWrite = this.#ports.clock.monotonic();
    if (this.#ports.output.write(text)) return;
    this.#blockedSince ??= this.#lastWrite;
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#counts.clear();
    this.#ports.onClosed();
  }
}

function idOf({ position, offset }: ListenerPosition): string {
  return offset === 0 ? position : `${position}.${offset}`;
}

/**
 * Reads an id of an event; `undefined` when it is none. Positions are compared
 * as texts, so each has one form: its numbers have no zeros in front.
 */
export function parseEventId(text: string): ListenerPosition | undefined {
  const [, position, offset = "0"] =
    /^((?!0\d)[0-9A-Za-z-]{1,64})(?:\.([1-9]\d{0,8}))?$/.exec(text) ?? [];
  return position === undefined
    ? undefined
    : { position, offset: Number(offset) };
}
