import assert from "node:assert/strict";
import { test } from "node:test";
import { defineTestProtocol, ManualClock } from "@carillon/testing";
import type { MessageId, ProjectId } from "../ids.ts";
import type { Message } from "../messages/message.ts";
import type {
  AttemptResult,
  AttemptSignals,
  Channel,
  PreparedMessage,
} from "../ports/channel.ts";
import { silentLogger } from "../ports/logger.ts";
import { createProtocols } from "../subscriptions/protocol.ts";
import { addMs } from "../time.ts";
import { deadlineSlackMs } from "./deadline-queue.ts";
import { createLaneOf } from "./lanes.ts";
import type { SendItem } from "./outcome.ts";
import { smnRetryPolicy } from "./retry-policy.ts";
import { answerGraceMs, Sender, type SenderOptions } from "./sender.ts";

/** A channel whose attempts end when the test says so. */
class HeldChannel implements Channel {
  readonly name = "held";
  readonly protocols = [defineTestProtocol("http")];
  readonly kind = "push";
  readonly timeoutMs = 5000;
  readonly started: string[] = [];
  readonly signals: (AttemptSignals | undefined)[] = [];
  prepared = 0;
  readonly #held = new Map<string, (result: AttemptResult) => void>();

  prepare(): PreparedMessage {
    this.prepared++;
    return {
      deliver: ({ endpoint, target }, signals) => {
        this.started.push(endpoint);
        this.signals.push(signals);
        return new Promise((resolve) => {
          this.#held.set(`${endpoint}#${target}`, resolve);
        });
      },
    };
  }

  end(key: string, result: AttemptResult = { outcome: "delivered" }): void {
    const resolve = this.#held.get(key);
    assert.ok(resolve, `no attempt is under way for ${key}`);
    this.#held.delete(key);
    resolve(result);
  }

  /** Answers how many there were. */
  endAll(): number {
    const keys = [...this.#held.keys()];
    for (const key of keys) this.end(key);
    return keys.length;
  }

  async close(): Promise<void> {}
}

function setUp(options: Partial<SenderOptions> = {}) {
  const covered = { now: true };
  const abandonment = new AbortController();
  const clock = new ManualClock();
  const channel = new HeldChannel();
  const sender = new Sender(
    {
      channels: new Map([["http", channel]]),
      laneOf: createLaneOf(createProtocols(channel.protocols)),
      clock,
      logger: silentLogger,
      rules: {
        retryPolicy: smnRetryPolicy,
        random: () => 0.5,
        lives: {},
      },
      leases: { cover: () => covered.now },
      abandoned: abandonment.signal,
    },
    {
      maxInFlight: 100,
      maxSlowAttempts: 100,
      laneInFlight: 2,
      providerInFlight: 64,
      slowAfterMs: 250,
      maxOutstanding: 1000,
      ...options,
    },
  );
  const message: Message = {
    seq: 1,
    id: "0".repeat(32) as MessageId,
    projectId: "1".repeat(32) as ProjectId,
    audience: "topic",
    content: { kind: "text", text: "hello" },
    createdAt: clock.now(),
    expiresAt: addMs(clock.now(), 3_600_000),
  };
  const itemTo = (endpoint: string, target: number): SendItem => ({
    message,
    recipient: { target, protocol: "http", endpoint },
    state: "waiting",
    attempts: 0,
  });
  return { clock, channel, sender, message, itemTo, covered, abandonment };
}

/** Lets promises that are ready run. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("reports what answered soon as finished, signed once", async () => {
  const { channel, sender, itemTo } = setUp();
  const report = sender.send([itemTo("a", 1), itemTo("b", 2)]);
  await turn();
  channel.end("b#2");
  channel.end("a#1", {
    outcome: "deferred",
    errorClass: "http_status",
    error: "503",
    statusCode: 503,
  });
  const { finished, slowAttempts, unstarted } = await report;
  assert.deepEqual(
    finished.map(({ outcome }) => [outcome.target, outcome.state]),
    [
      [2, "delivered"],
      [1, "retrying"],
    ],
  );
  assert.deepEqual([slowAttempts.length, unstarted.length], [0, 0]);
  assert.equal(channel.prepared, 1);
  assert.equal(sender.inFlight, 0);
});

test("leaves a slow attempt behind after 250 ms and reports its end later", async () => {
  const { clock, channel, sender, itemTo } = setUp();
  const report = sender.send([itemTo("slow", 1), itemTo("quick", 2)]);
  await turn();
  channel.end("quick#2");
  await turn();
  clock.advance(251);
  const { finished, slowAttempts } = await report;
  assert.deepEqual(
    finished.map(({ outcome }) => outcome.target),
    [2],
  );
  const [slow] = slowAttempts;
  assert.equal(slow?.item.recipient.endpoint, "slow");
  assert.equal(sender.inFlight, 1);
  clock.advance(1000);
  channel.end("slow#1");
  const outcome = await slow?.outcome;
  assert.equal(outcome?.state, "delivered");
  assert.equal(outcome?.lastAttempt?.durationMs, 1251);
  assert.equal(sender.inFlight, 0);
});

test("a hanging endpoint fills its own lane and nobody else's", async () => {
  const { clock, channel, sender, itemTo } = setUp();
  const items = [
    ...Array.from({ length: 10 }, (_, i) => itemTo("hangs", i)),
    itemTo("healthy", 10),
  ];
  const report = sender.send(items);
  await turn();
  assert.deepEqual(channel.started, ["hangs", "hangs", "healthy"]);
  channel.end("healthy#10");
  await turn();
  clock.advance(251);
  const { finished, slowAttempts, unstarted } = await report;
  assert.equal(finished.length, 1);
  assert.equal(slowAttempts.length, 2);
  assert.equal(unstarted.length, 8);
  channel.endAll();
  await Promise.all(slowAttempts.map(({ outcome }) => outcome));
  // Nobody who was withdrawn starts after all.
  assert.equal(channel.started.length, 3);
  assert.equal(sender.inFlight, 0);
});

test("a lane's queue moves on when an attempt of it ends", async () => {
  const { channel, sender, itemTo } = setUp({ laneInFlight: 1 });
  const report = sender.send([itemTo("a", 1), itemTo("a", 2), itemTo("a", 3)]);
  for (const target of [1, 2, 3]) {
    await turn();
    assert.equal(channel.started.length, target);
    channel.end(`a#${target}`);
  }
  const { finished } = await report;
  assert.equal(finished.length, 3);
});

test("no more attempts are under way than there are slots", async () => {
  const { channel, sender, itemTo } = setUp({ maxInFlight: 3 });
  const items = Array.from({ length: 9 }, (_, i) => itemTo(`e${i}`, i));
  const report = sender.send(items);
  for (let round = 1; round <= 3; round++) {
    await turn();
    assert.equal(channel.started.length, round * 3);
    channel.endAll();
  }
  assert.equal((await report).finished.length, 9);
});

test("slow attempts free their slots", async () => {
  const { clock, channel, sender, itemTo } = setUp({ maxInFlight: 2 });
  void sender.send(Array.from({ length: 4 }, (_, n) => itemTo(`e${n}`, n)));
  await turn();
  assert.equal(channel.started.length, 2);
  clock.advance(251);
  await turn();
  assert.equal(channel.started.length, 4);
  assert.equal(sender.inFlight, 4);
});

test("when all slow places are taken, those who answer go on, and they alone", async () => {
  const { clock, channel, sender, itemTo } = setUp({ maxSlowAttempts: 4 });
  // Two are slow, so that answers are worth noting.
  void sender.send([itemTo("hangs0", 0), itemTo("hangs1", 1)]);
  await turn();
  clock.advance(251);
  const answering = sender.send([itemTo("answers", 2)]);
  await turn();
  channel.end("answers#2");
  await answering;
  void sender.send([itemTo("hangs2", 3), itemTo("hangs3", 4)]);
  await turn();
  clock.advance(251);
  assert.equal(sender.inFlight, 4);
  const before = channel.started.length;
  const report = sender.send([itemTo("new", 5), itemTo("answers", 6)]);
  await turn();
  assert.deepEqual(channel.started.slice(before), ["answers"]);
  channel.end("answers#6");
  const { finished, unstarted } = await report;
  assert.deepEqual([finished.length, unstarted.length], [1, 1]);
});

test("endpoints that were silent share a quarter of the slots", async () => {
  const { clock, channel, sender, itemTo } = setUp({ maxInFlight: 8 });
  const toSilent = () =>
    Array.from({ length: 8 }, (_, n) => itemTo(`silent${n}`, n));
  const first = sender.send(toSilent());
  await turn();
  clock.advance(251);
  const { slowAttempts } = await first;
  clock.advance(channel.timeoutMs + answerGraceMs);
  await Promise.all(slowAttempts.map(({ outcome }) => outcome));
  const before = channel.started.length;
  const second = sender.send([...toSilent(), itemTo("healthy", 9)]);
  await turn();
  assert.deepEqual(channel.started.slice(before), [
    "silent0",
    "silent1",
    "healthy",
  ]);
  channel.end("healthy#9");
  clock.advance(251);
  const { unstarted } = await second;
  assert.equal(unstarted.length, 6);
  for (const { factor } of unstarted) assert.equal(factor, 10);
});

test("endpoints that answer, but slowly, are not put off", async () => {
  const { clock, channel, sender, itemTo } = setUp({ maxInFlight: 8 });
  const toSlow = () =>
    Array.from({ length: 8 }, (_, n) => itemTo(`slow${n}`, n));
  const first = sender.send(toSlow());
  await turn();
  clock.advance(251);
  const { slowAttempts } = await first;
  channel.endAll();
  await Promise.all(slowAttempts.map(({ outcome }) => outcome));
  const second = sender.send(toSlow());
  await turn();
  assert.equal(channel.endAll(), 8);
  assert.equal((await second).unstarted.length, 0);
});

test("an expired message is not tried", async () => {
  const { clock, channel, sender, itemTo } = setUp();
  clock.advance(3_600_000);
  const { finished } = await sender.send([itemTo("a", 1)]);
  assert.equal(finished[0]?.outcome.state, "expired");
  assert.equal(finished[0]?.outcome.attempts, 0);
  assert.equal(channel.started.length, 0);
});

test("a protocol without a channel fails with a sentence", async () => {
  const { sender, message } = setUp();
  const { finished } = await sender.send([
    {
      message,
      recipient: { target: 1, protocol: "sms", endpoint: "+15550100001" },
      state: "waiting",
      attempts: 0,
    },
  ]);
  assert.equal(finished[0]?.outcome.state, "failed");
  assert.match(finished[0]?.outcome.lastAttempt?.error ?? "", /sms/);
});

test("a retry that would come after the time to live is not planned", async () => {
  const { clock, channel, sender, itemTo } = setUp();
  clock.advance(3_600_000 - 3000);
  const report = sender.send([itemTo("a", 1)]);
  await turn();
  channel.end("a#1", {
    outcome: "deferred",
    errorClass: "timeout",
    error: "no answer",
  });
  const { finished } = await report;
  assert.equal(finished[0]?.outcome.state, "expired");
  assert.equal(finished[0]?.outcome.nextAttemptAt, undefined);
});

test("starts nothing that its leases do not cover", async () => {
  const { channel, sender, itemTo, covered } = setUp();
  covered.now = false;
  const { unstarted } = await sender.send([itemTo("a", 1)]);
  assert.equal(unstarted.length, 1);
  assert.deepEqual(channel.started, []);
  assert.equal(sender.inFlight, 0);
});

test("a channel that never answers is given up, and its late answer dropped", async () => {
  const { clock, channel, sender, itemTo } = setUp();
  const report = sender.send([itemTo("a", 1)]);
  await turn();
  clock.advance(251);
  const { slowAttempts } = await report;
  clock.advance(channel.timeoutMs + answerGraceMs + 2 * deadlineSlackMs);
  const outcome = await slowAttempts[0]?.outcome;
  assert.equal(outcome?.state, "retrying");
  assert.equal(outcome?.lastAttempt?.errorClass, "timeout");
  assert.equal(sender.inFlight, 0);
  channel.end("a#1");
  await turn();
  assert.equal(sender.inFlight, 0);
});

test("an attempt that is given up ends by its own signal, and no other does", async () => {
  const { clock, channel, sender, itemTo, abandonment } = setUp();
  const limitMs = channel.timeoutMs + answerGraceMs + 2 * deadlineSlackMs;
  const first = sender.send([itemTo("a", 1), itemTo("b", 2)]);
  await turn();
  clock.advance(limitMs / 2);
  await first;
  const second = sender.send([itemTo("c", 3)]);
  await turn();
  const [a, b, c] = channel.signals;
  const read = a?.signal;
  assert.equal(a?.signal, read);
  clock.advance(limitMs / 2 + deadlineSlackMs);
  await second;

  assert.equal(sender.inFlight, 1);
  assert.equal(read?.aborted, true);
  assert.equal(b?.signal.aborted, true, "read afterwards");
  assert.equal(c?.signal.aborted, false);
  for (const signals of [a, b, c]) {
    assert.equal(signals?.engineSignal, abandonment.signal);
  }
});

test("once it is abandoned all attempts are ended and none starts", async () => {
  const { clock, channel, sender, itemTo, abandonment } = setUp({
    maxInFlight: 3,
  });
  const slow = sender.send([itemTo("slow", 1)]);
  await turn();
  clock.advance(251);
  await slow;
  // Two run, two wait for their lane, one for a slot.
  const report = sender.send(
    ["a", "a", "a", "a", "b", "c"].map((to, n) => itemTo(to, n)),
  );
  await turn();
  assert.deepEqual(channel.started, ["slow", "a", "a", "b"]);
  const [first, second] = channel.signals;
  const read = [first?.signal, second?.signal];
  const reason = new Error("stop");

  abandonment.abort(reason);
  assert.deepEqual(
    read.map((signal) => signal?.reason),
    [reason, reason],
  );
  assert.equal(channel.signals[3]?.signal.reason, reason, "read afterwards");
  channel.endAll();
  const { finished, unstarted } = await report;
  assert.deepEqual([finished.length, unstarted.length], [3, 3]);
  assert.equal(channel.started.length, 4);
  await turn();
  assert.equal(sender.inFlight, 0);
});

test("an endpoint that is slow gets no more once half of the slow places are taken", async () => {
  const { clock, channel, sender, itemTo } = setUp({
    laneInFlight: 100,
    maxSlowAttempts: 10,
  });
  const first = sender.send(
    Array.from({ length: 6 }, (_, n) => itemTo("hangs", n)),
  );
  await turn();
  clock.advance(251);
  assert.equal((await first).slowAttempts.length, 6);
  const second = sender.send([itemTo("hangs", 7), itemTo("healthy", 8)]);
  await turn();
  assert.deepEqual(channel.started.slice(6), ["healthy"]);
  channel.end("healthy#8");
  const { unstarted, finished } = await second;
  assert.deepEqual([unstarted.length, finished.length], [1, 1]);
});

test("who comes in vain again and again is asked to stay away longer", async () => {
  const { clock, sender, itemTo } = setUp({ laneInFlight: 1 });
  void sender.send([itemTo("hangs", 0)]);
  await turn();
  clock.advance(251);
  const factors: number[] = [];
  for (let n = 1; n <= 20; n++) {
    const report = sender.send([itemTo("hangs", n), itemTo("hangs", n)]);
    await turn();
    clock.advance(30);
    if (n === 20) clock.advance(251);
    void report.then(({ unstarted }) =>
      factors.push(...unstarted.map(({ factor }) => factor)),
    );
  }
  await turn();
  assert.ok(Math.min(...factors) >= 1);
  assert.ok(Math.max(...factors) > 5, `${Math.max(...factors)}`);
});

test("waits on in a lane that moves, and starts in turn", async () => {
  const { clock, channel, sender, itemTo } = setUp({ laneInFlight: 1 });
  const report = sender.send(
    Array.from({ length: 5 }, (_, n) => itemTo("moves", n)),
  );
  for (let n = 0; n < 5; n++) {
    await turn();
    clock.advance(200);
    channel.end(`moves#${n}`);
  }
  const { finished, unstarted } = await report;
  assert.deepEqual([finished.length, unstarted.length], [5, 0]);
});

test("what waits for a lane counts against the bound when it starts", async () => {
  const { channel, sender, itemTo } = setUp({
    maxInFlight: 3,
    laneInFlight: 2,
  });
  const items = Array.from({ length: 12 }, (_, n) => itemTo(`e${n % 2}`, n));
  const report = sender.send(items);
  let ended = 0;
  while (ended < items.length) {
    await turn();
    const open = channel.started.length - ended;
    assert.ok(open > 0 && open <= 3, `${open} at once`);
    assert.equal(sender.inFlight, open);
    ended += channel.endAll();
  }
  assert.equal((await report).finished.length, 12);
  assert.equal(sender.inFlight, 0);
});

test("starts nothing late that its leases do not cover any more", async () => {
  const { channel, sender, itemTo, covered } = setUp({ laneInFlight: 1 });
  const report = sender.send([itemTo("a", 1), itemTo("a", 2)]);
  await turn();
  covered.now = false;
  channel.end("a#1");
  const { finished, unstarted } = await report;
  assert.deepEqual([finished.length, unstarted.length], [1, 1]);
  assert.equal(channel.started.length, 1);
  assert.equal(sender.inFlight, 0);
});

test("a long queue of a lane may end all at once", async () => {
  const { channel, sender, itemTo, covered } = setUp({ laneInFlight: 1 });
  const count = 50_000;
  const items = Array.from({ length: count }, (_, n) => itemTo("a", n));
  const sending = sender.send(items);
  await turn();
  covered.now = false;
  channel.end("a#0");
  const { finished, unstarted } = await sending;
  assert.deepEqual([finished.length, unstarted.length], [1, count - 1]);
  assert.equal(sender.inFlight, 0);
});

/** An item with a provider of its own choice. */
function through(
  provider: string,
  item: SendItem,
  perRequest?: number,
): SendItem {
  const route = {
    provider,
    ...(perRequest !== undefined && { perRequest }),
    round: 1,
    passedOver: false,
    hasNext: false,
    nextOnFailedReceipt: false,
    release: () => {},
  };
  return { ...item, route };
}

test("a provider has no more under way than it has places, and a code has one at once", async () => {
  const { clock, channel, sender, itemTo } = setUp({ maxInFlight: 2000 });
  const bulk = sender.send(
    Array.from({ length: 1000 }, (_, n) => through("a", itemTo(`${n}`, n))),
  );
  await turn();
  // An eighth is kept for what is urgent.
  assert.equal(channel.started.length, 56);
  clock.advance(251);
  const { slowAttempts, unstarted, finished } = await bulk;
  assert.deepEqual(
    [slowAttempts.length, unstarted.length, finished.length],
    [56, 944, 0],
  );
  const item = itemTo("code", 1001);
  const code = through("a", {
    ...item,
    message: { ...item.message, seq: 2, class: "otp" },
  });
  void sender.send([code, through("b", itemTo("other", 1002))]);
  await turn();
  assert.deepEqual(channel.started.slice(56), ["code", "other"]);
});

test("a code that finds its provider full waits, and is next", async () => {
  const { clock, channel, sender, itemTo } = setUp({ providerInFlight: 1 });
  void sender.send([through("a", itemTo("first", 1))]);
  await turn();
  clock.advance(251);
  void sender.send([through("a", itemTo("bulk", 2))]);
  const item = itemTo("code", 3);
  const message = { ...item.message, seq: 2, class: "otp" } as const;
  void sender.send([through("a", { ...item, message })]);
  await turn();
  clock.advance(251);
  await turn();
  channel.end("first#1");
  await turn();
  assert.deepEqual(channel.started, ["first", "code"]);
});

test("a provider that takes many in a request has as many times more under way", async () => {
  const { channel, sender, itemTo } = setUp({ providerInFlight: 2 });
  void sender.send(
    Array.from({ length: 20 }, (_, n) => through("a", itemTo(`${n}`, n), 5)),
  );
  await turn();
  assert.equal(channel.started.length, 9);
});
