import assert from "node:assert/strict";
import type { Mailbox, PulledMessage } from "@carillon/core";
import { seededRandom } from "../seeded-random.ts";
import type { MailboxCases } from "./cases.ts";
import type { MailboxWorld, RecordingStream } from "./world.ts";

/** Steps of one run. */
const steps = 250;

export function testTorture({ test }: MailboxCases): void {
  for (const seed of [1, 2, 3]) {
    test(`loses nothing, and repeats nothing whose ack was answered (${seed})`, async (world) => {
      const till = await world.subscribe("till");
      // Chance hands some out very often.
      world.settings = { ...world.settings, maxDeliveries: 1000 };
      const run = new Run(world, till, seededRandom(seed));
      for (let n = 0; n < steps; n++) await run.step();
      await run.finish();
      assert.equal(run.acked.size, run.published);
    });
  }
}

/** Consumers that come, go and confirm as chance will have it. */
class Run {
  published = 0;
  /** Bodies of messages whose ack was answered. */
  readonly acked = new Set<string>();
  readonly #world: MailboxWorld;
  readonly #mailbox: Mailbox;
  readonly #random: () => number;
  /** Received and not settled. */
  #held: PulledMessage[] = [];
  #stream: RecordingStream | undefined;
  /** How many of the stream's messages its consumer has seen. */
  #seen = 0;
  #lastEventId: number | undefined;
  #polls: Promise<void>[] = [];

  constructor(world: MailboxWorld, mailbox: Mailbox, random: () => number) {
    this.#world = world;
    this.#mailbox = mailbox;
    this.#random = random;
  }

  async step(): Promise<void> {
    const { mailboxes } = this.#world;
    const choices: (() => unknown)[] = [
      () => this.#publish(),
      () => this.#publish(),
      () => this.#publish(),
      () => this.#poll({ max: 1 + this.#below(5) }),
      () => this.#poll({ max: 2, waitMs: this.#below(20_000) }),
      () => this.#pollAborted(),
      () => this.#see(),
      () => this.#see(),
      () => this.#ack(),
      () => this.#ack(),
      () => mailboxes.nack(this.#mailbox, this.#takeKeys(), this.#below(9000)),
      () => this.#reopen(),
      () => this.#close(),
      () => this.#block(),
      () => this.#world.pass(this.#below(9000)),
      () => (this.#random() < 0.2 ? this.#restart() : undefined),
    ];
    await choices[this.#below(choices.length)]?.();
    // Some steps come while those before are under way.
    if (this.#random() < 0.7) await this.#world.settle();
  }

  /** One consumer takes what is left. */
  async finish(): Promise<void> {
    this.#stream?.stream?.close();
    await this.#world.pass(90_000);
    await Promise.all(this.#polls);
    await this.#ack(Number.POSITIVE_INFINITY);
    await this.#world.pass(90_000);
    for (;;) {
      const messages = await this.#world.poll(this.#mailbox);
      if (messages.length === 0) return;
      this.#receive(messages);
      await this.#ack(Number.POSITIVE_INFINITY);
    }
  }

  #below(bound: number): number {
    return Math.floor(this.#random() * bound);
  }

  async #publish(): Promise<void> {
    const isOrdered = this.#random() < 0.2;
    await this.#world.publish(`${this.published++}`, {
      ...(isOrdered && { orderingKey: "k" }),
    });
  }

  #receive(messages: readonly PulledMessage[]): void {
    for (const message of messages) {
      assert.ok(!this.acked.has(message.body), `${message.body} comes again`);
    }
    this.#held.push(...messages);
  }

  #poll(options: { readonly max: number; readonly waitMs?: number }): void {
    const poll = this.#world.mailboxes.receive(this.#mailbox, options);
    this.#polls.push(poll.then((messages) => this.#receive(messages)));
  }

  async #pollAborted(): Promise<void> {
    const gone = new AbortController();
    const poll = this.#world.mailboxes.receive(this.#mailbox, {
      max: 5,
      waitMs: 10_000,
      signal: gone.signal,
    });
    for (let turn = this.#below(6); turn > 0; turn--) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    gone.abort();
    this.#receive(await poll);
  }

  /** The stream's consumer sees what was sent, or a part of it. */
  #see(): void {
    const { messages = [], eventIds = [] } = this.#stream ?? {};
    const count = 1 + this.#below(messages.length - this.#seen);
    const end = Math.min(this.#seen + count, messages.length);
    const now = this.#world.clock.now();
    // What lay too long in between is anybody's by now, as its lease says.
    this.#receive(
      messages
        .slice(this.#seen, end)
        .filter(({ leaseUntil }) => leaseUntil > now),
    );
    this.#seen = end;
    this.#lastEventId = eventIds[end - 1] ?? this.#lastEventId;
  }

  #takeKeys(count = 1 + this.#below(4)) {
    const taken = this.#held.splice(0, count);
    return taken.map(({ key }) => key);
  }

  async #ack(count = 1 + this.#below(6)): Promise<void> {
    const bodies = this.#held.slice(0, count).map(({ body }) => body);
    const keys = this.#takeKeys(count);
    const { mailboxes } = this.#world;
    const { settled } = await mailboxes.ack(this.#mailbox, keys);
    for (const key of settled) {
      const body = bodies[keys.indexOf(key)] ?? "";
      // Two consumers never hold the same lease.
      assert.ok(!this.acked.has(body), `${body} is confirmed twice`);
      this.acked.add(body);
    }
  }

  /** The connection is cut, and the consumer comes again. */
  async #reopen(): Promise<void> {
    this.#seen = 0;
    this.#stream = await this.#world.open(this.#mailbox, {
      credit: 1 + this.#below(8),
      lastEventId: this.#lastEventId,
    });
  }

  /** The connection ends, with a word or without. */
  #close(): void {
    const giveBack = this.#random() < 0.5;
    this.#stream?.stream?.close({ giveBack });
    if (!giveBack) return;
    // What it has seen of the stream it has given back, too.
    const keys = new Set(this.#stream?.keys);
    this.#held = this.#held.filter(({ key }) => !keys.has(key));
    this.#stream = undefined;
  }

  #block(): void {
    if (!this.#stream) return;
    this.#stream.isFull = !this.#stream.isFull;
    if (!this.#stream.isFull) this.#stream.stream?.drained();
  }

  async #restart(): Promise<void> {
    await this.#world.restart();
    await Promise.all(this.#polls.splice(0));
  }
}
