/** Carriers that do not push their reports, or not all of them, are asked. */

import assert from "node:assert/strict";
import {
  type Engine,
  type MessageId,
  type PollAnswer,
  type Receipt,
  unknownPollDelayMs,
} from "@carillon/core";
import type { EngineCases } from "./cases.ts";
import { never, type ScriptedCarrier } from "./scripted-channel.ts";
import type { World } from "./world.ts";

/** As the scripted carriers say it. */
const firstAfterMs = 30_000;

/** Few sweeps, so that hours pass quickly; no wait here is as short. */
const quiet = { engine: { sweepIntervalMs: 20_000 } };

/** All texts go through `via`, and their ids are the numbers they go to. */
function sendVia(world: World, via: string): void {
  world.sms.choose = async () => ({
    provider: via,
    round: 1,
    passedOver: false,
    hasNext: false,
    nextOnFailedReceipt: false,
    release: () => {},
  });
  world.sms.script = ({ endpoint }) => ({
    outcome: "accepted",
    parts: [{ externalId: endpoint }],
    receiptExpected: true,
    pollAfterMs: firstAfterMs,
  });
}

function numberOf(n: number): string {
  return `+1555010${String(n).padStart(4, "0")}`;
}

async function send(
  world: World,
  engine: Engine,
  via: string,
  n: number,
): Promise<MessageId> {
  sendVia(world, via);
  const id = await world.sendSms(engine, numberOf(n));
  await world.settle();
  return id;
}

async function stateOf(world: World, id: MessageId): Promise<string> {
  const [delivery] = await world.deliveries(id);
  assert.ok(delivery);
  return delivery.state;
}

function answered(
  ids: readonly string[],
  event: Receipt["event"] = "deliver",
): PollAnswer {
  return {
    outcome: "answered",
    receipts: ids.map((externalId) => ({ externalId, event })),
  };
}

function carrier(
  answer: ScriptedCarrier["answer"],
  batchSize = 10,
): ScriptedCarrier {
  return { batchSize, answer };
}

const delivering = carrier((ids) => answered(ids));

/** The seconds between the questions to a carrier, from `begin` on. */
function timing(world: World, answer: ScriptedCarrier["answer"]) {
  let last = world.clock.monotonic();
  const waits: number[] = [];
  const asked = carrier((ids, nth, signal) => {
    const now = world.clock.monotonic();
    waits.push(Math.round((now - last) / 1000));
    last = now;
    return answer(ids, nth, signal);
  });
  return { asked, waits };
}

function assertBetween(values: readonly number[], bounds: number[][]): void {
  assert.equal(values.length, bounds.length, values.join());
  for (const [n, [least = 0, most = 0] = []] of bounds.entries()) {
    const value = values[n] ?? -1;
    assert.ok(value >= least && value <= most, values.join());
  }
}

export function testPolls({ test }: EngineCases): void {
  test(
    "asks about many texts at once, at most as many as the carrier takes",
    quiet,
    async (world) => {
      const engine = await world.start();
      const ids: MessageId[] = [];
      for (let n = 0; n < 25; n++) ids.push(await send(world, engine, "a", n));
      world.sms.carriers.set("a", delivering);
      await world.pass(firstAfterMs - 1000);
      assert.deepEqual(world.sms.questions, []);
      await world.pass(25_000);
      const sizes = world.sms.questionsTo("a").map(({ length }) => length);
      assert.deepEqual(sizes.toSorted(), [10, 10, 5]);
      for (const id of ids) assert.equal(await stateOf(world, id), "delivered");
      const [delivery] = await world.deliveries(ids[0] ?? assert.fail());
      assert.equal(delivery?.pollAt, undefined);
      assert.deepEqual(
        delivery?.receipts?.map(({ entry, event }) => [entry, event]),
        [["a", "deliver"]],
      );
      // What is final is not asked about again.
      await world.pass(3_600_000);
      assert.equal(world.sms.questions.length, 3);
      const { polls } = engine.status();
      const final = polls.find(
        (it) => it.provider === "a" && it.outcome === "final",
      );
      assert.equal(final?.count, 25);
    },
  );

  test(
    "asks ever more seldom while a text is on its way, and keeps no word twice",
    quiet,
    async (world) => {
      const engine = await world.start();
      const id = await send(world, engine, "a", 1);
      const { asked, waits } = timing(world, (ids, nth) =>
        answered(ids, nth < 6 ? "accept" : "deliver"),
      );
      world.sms.carriers.set("a", asked);
      await world.pass(3 * 3_600_000);
      assertBetween(waits, [
        [30, 50],
        [60, 72],
        [120, 144],
        [300, 360],
        [900, 1080],
        [3600, 4320],
      ]);
      assert.equal(await stateOf(world, id), "delivered");
      const [delivery] = await world.deliveries(id);
      assert.equal(delivery?.receipts?.length, 1);
    },
  );

  test("asks no more once the idle time is over, and leaves the delivery as it is", {
    engine: {
      sweepIntervalMs: 20_000,
      pollSchedule: {
        delaysMs: [30_000, 60_000],
        jitter: 0.2,
        idleMs: 300_000,
      },
    },
  }, async (world) => {
    const engine = await world.start();
    const id = await send(world, engine, "a", 1);
    const { asked, waits } = timing(world, () => answered([]));
    world.sms.carriers.set("a", asked);
    await world.pass(3_600_000);
    const total = waits.reduce((sum, wait) => sum + wait, 0);
    assert.ok(total >= 299 && total <= 301, waits.join());
    const [delivery] = await world.deliveries(id);
    assert.equal(delivery?.state, "sent");
    assert.equal(delivery.pollAt, undefined);
    assert.equal(delivery.receiptExpected, true);
    assert.deepEqual(world.logger.of("polls_ended"), [
      { provider: "a", deliveries: 1 },
    ]);
  });

  test(
    "a provider that hangs or fails holds up no other",
    quiet,
    async (world) => {
      const engine = await world.start();
      for (let n = 0; n < 40; n++) await send(world, engine, "hangs", n);
      for (let n = 40; n < 60; n++) await send(world, engine, "fails", n);
      for (let n = 60; n < 70; n++) await send(world, engine, "throws", n);
      const id = await send(world, engine, "a", 99);
      world.sms.carriers.set("hangs", carrier(never));
      const error = "Down";
      world.sms.carriers.set(
        "fails",
        carrier(() => Promise.resolve({ outcome: "deferred", error })),
      );
      world.sms.carriers.set(
        "throws",
        carrier(() => {
          throw new Error("A defect");
        }),
      );
      world.sms.carriers.set("a", delivering);
      await world.pass(firstAfterMs + 25_000);
      assert.equal(await stateOf(world, id), "delivered");
      assert.equal(world.sms.questionsTo("a").length, 1);
      // Two questions at once, and then it rests.
      assert.equal(world.sms.questionsTo("hangs").length, 2);
      assert.ok(world.sms.questionsTo("fails").length <= 2);
      // Some more in an hour: 64 if each were asked each minute.
      await world.pass(3_600_000);
      for (const name of ["hangs", "fails", "throws"]) {
        const { length } = world.sms.questionsTo(name);
        assert.ok(length > 3 && length < 12, `${name}: ${length}`);
        world.sms.carriers.set(name, delivering);
      }
      await world.pass(4 * 3_600_000);
      const left = await world.store.listDuePolls();
      assert.deepEqual(left, []);
    },
  );

  test(
    "comes again when a provider wishes, and tells of refused credentials once an hour",
    quiet,
    async (world) => {
      const engine = await world.start();
      for (let n = 0; n < 30; n++) await send(world, engine, "a", n);
      for (let n = 30; n < 60; n++) await send(world, engine, "b", n);
      const { asked, waits } = timing(world, (ids, nth) =>
        nth === 1
          ? { outcome: "deferred", error: "Busy", retryAfterMs: 2_000_000 }
          : answered(ids),
      );
      world.sms.carriers.set("a", { ...asked, batchSize: 30 });
      const error = "Who?";
      world.sms.carriers.set(
        "b",
        carrier(() => Promise.resolve({ outcome: "credentials", error })),
      );
      await world.pass(3_500_000);
      assertBetween(waits, [
        [30, 50],
        [2000, 2010],
      ]);
      const fields = { provider: "b", error };
      assert.deepEqual(world.logger.of("poll_credentials_refused"), [fields]);
      assert.ok(world.sms.questionsTo("b").length <= 5);
      await world.pass(3_600_000);
      const told = world.logger.of("poll_credentials_refused").length;
      assert.ok(told === 2 || told === 3, String(told));
    },
  );

  test(
    "asks again about what is missing from an answer, and ignores what is too much",
    quiet,
    async (world) => {
      const engine = await world.start();
      const a = await send(world, engine, "a", 1);
      const b = await send(world, engine, "a", 2);
      const stranger = await send(world, engine, "b", 3);
      world.sms.carriers.set(
        "a",
        carrier((ids, nth) => {
          if (nth > 1) return Promise.resolve(answered(ids));
          const more = [numberOf(3), "nobody's"];
          const { receipts } = answered([numberOf(1), ...more]) as {
            receipts: readonly unknown[];
          };
          const malformed = [
            null,
            { externalId: numberOf(2), event: "vanish" },
          ];
          return Promise.resolve({
            outcome: "answered",
            receipts: [...receipts, ...malformed],
          });
        }),
      );
      await world.pass(firstAfterMs + 25_000);
      assert.equal(await stateOf(world, a), "delivered");
      assert.equal(await stateOf(world, b), "sent");
      assert.equal(await stateOf(world, stranger), "sent");
      assert.deepEqual(world.logger.of("poll_answer_ignored"), [
        { provider: "a", unasked: 2, malformed: 2 },
      ]);
      await world.pass(90_000);
      assert.equal(await stateOf(world, b), "delivered");
      assert.deepEqual(world.sms.questionsTo("a")[1], [numberOf(2)]);
    },
  );

  test(
    "asks only about parts that nothing final is known of",
    quiet,
    async (world) => {
      const engine = await world.start();
      sendVia(world, "a");
      world.sms.script = () => ({
        outcome: "accepted",
        parts: [{ externalId: "x" }, { externalId: "y" }],
        receiptExpected: true,
        pollAfterMs: firstAfterMs,
      });
      const id = await world.sendSms(engine, numberOf(1));
      await world.settle();
      const at = world.clock.now();
      const pushed = {
        entry: "a",
        externalId: "x",
        event: "deliver",
        at,
      } as const;
      await engine.receive(pushed);
      world.sms.carriers.set("a", delivering);
      await world.pass(firstAfterMs + 25_000);
      assert.deepEqual(world.sms.questionsTo("a"), [["y"]]);
      assert.equal(await stateOf(world, id), "delivered");
    },
  );

  test("gathers what falls due in a row", quiet, async (world) => {
    const engine = await world.start();
    for (let n = 0; n < 60; n++) {
      await send(world, engine, "a", n);
      world.clock.advance(250);
    }
    world.sms.carriers.set(
      "a",
      carrier((ids) => answered(ids), 100),
    );
    await world.pass(firstAfterMs + 25_000);
    const sizes = world.sms.questionsTo("a").map(({ length }) => length);
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      60,
    );
    assert.ok(sizes.length <= 5, sizes.join());
  });

  test(
    "an id that a provider does not take costs itself alone",
    quiet,
    async (world) => {
      const engine = await world.start();
      const ids: MessageId[] = [];
      for (let n = 0; n < 8; n++) ids.push(await send(world, engine, "a", n));
      const error = "No such id";
      world.sms.carriers.set(
        "a",
        carrier((asked) =>
          Promise.resolve(
            asked.includes(numberOf(5))
              ? { outcome: "refused", error }
              : answered(asked),
          ),
        ),
      );
      await world.pass(firstAfterMs + 25_000);
      for (const [n, id] of ids.entries()) {
        const expected = n === 5 ? "sent" : "delivered";
        assert.equal(await stateOf(world, id), expected, String(n));
      }
      assert.deepEqual(world.logger.of("poll_refused"), [
        { provider: "a", error },
      ]);
      // 8, 4, 2, 1 on its side, and their other halves.
      assert.equal(world.sms.questions.length, 7);
    },
  );

  test(
    "polls of a provider that is gone are put off, and go on when it is back",
    quiet,
    async (world) => {
      const claims: string[] = [];
      const engine = await world.start();
      const id = await send(world, engine, "gone", 1);
      const before = world.store.claimPolls;
      world.store.claimPolls = (entry, ...rest) => {
        claims.push(entry);
        return before.call(world.store, entry, ...rest);
      };
      await world.pass(4 * 3_600_000);
      assert.deepEqual(world.sms.questions, []);
      const [delivery] = await world.deliveries(id);
      assert.equal(delivery?.state, "sent");
      assert.ok((delivery.pollAt ?? 0) > world.clock.now());
      world.sms.carriers.set("gone", delivering);
      await world.pass(4 * 3_600_000);
      assert.equal(await stateOf(world, id), "delivered");
      assert.ok(claims.length <= 8, String(claims.length));
    },
  );

  test(
    "a report that was pushed while the carrier was asked counts once",
    quiet,
    async (world) => {
      const engine = await world.start();
      const id = await send(world, engine, "a", 1);
      const asked = Promise.withResolvers<PollAnswer>();
      world.sms.carriers.set(
        "a",
        carrier(() => asked.promise),
      );
      await world.pass(firstAfterMs + 25_000);
      const pushed: Receipt = {
        entry: "a",
        externalId: numberOf(1),
        event: "deliver",
        at: world.clock.now(),
      };
      await engine.receive(pushed);
      asked.resolve(answered([numberOf(1)]));
      await world.pass(3_600_000);
      const [delivery] = await world.deliveries(id);
      assert.equal(delivery?.state, "delivered");
      assert.deepEqual(delivery.receipts, [pushed]);
      assert.equal(world.sms.questions.length, 1);
    },
  );

  test(
    "a failed receipt that was asked for is followed by the next provider",
    quiet,
    async (world) => {
      const engine = await world.start();
      sendVia(world, "a");
      world.sms.choose = async (_, tried) => ({
        provider: tried.length === 0 ? "a" : "b",
        round: 1,
        passedOver: false,
        hasNext: tried.length === 0,
        nextOnFailedReceipt: tried.length === 0,
        release: () => {},
      });
      const id = await world.sendSms(engine, numberOf(1));
      await world.settle();
      world.sms.carriers.set(
        "a",
        carrier((ids) => answered(ids, "reject")),
      );
      world.sms.carriers.set("b", delivering);
      await world.pass(firstAfterMs + 1000);
      assert.deepEqual(world.sms.routes, ["a", "b"]);
      await world.pass(firstAfterMs + 25_000);
      assert.equal(await stateOf(world, id), "delivered");
      assert.deepEqual(
        world.sms.questions.map(({ entry }) => entry),
        ["a", "b"],
      );
    },
  );

  for (const [event, state] of [
    ["deliver", "delivered"],
    // It never got there; whether it is sent again is for an operator to say.
    ["reject", "rejected"],
  ] as const) {
    test(
      `a text of unknown outcome is asked about, and becomes ${state}`,
      quiet,
      async (world) => {
        const engine = await world.start();
        sendVia(world, "a");
        world.sms.script = ({ endpoint }) => ({
          outcome: "unknown",
          errorClass: "timeout",
          error: "No answer",
          parts: [{ externalId: endpoint }],
          pollAfterMs: firstAfterMs,
        });
        const id = await world.sendSms(engine, numberOf(1));
        await world.settle();
        world.sms.carriers.set(
          "a",
          carrier((ids) => answered(ids, event)),
        );
        await world.pass(unknownPollDelayMs - 1000);
        assert.equal(await stateOf(world, id), "unknown");
        assert.deepEqual(world.sms.questions, []);
        await world.pass(25_000);
        assert.equal(await stateOf(world, id), state);
        await world.pass(3_600_000);
        assert.deepEqual(world.sms.calls, [numberOf(1)]);
        assert.equal(world.sms.questions.length, 1);
      },
    );
  }

  test(
    "an unknown text that the carrier has on its way is sent, and asked about further",
    quiet,
    async (world) => {
      const engine = await world.start();
      sendVia(world, "a");
      world.sms.script = ({ endpoint }) => ({
        outcome: "unknown",
        errorClass: "timeout",
        error: "No answer",
        parts: [{ externalId: endpoint }],
        pollAfterMs: firstAfterMs,
      });
      const id = await world.sendSms(engine, numberOf(1));
      world.sms.carriers.set(
        "a",
        carrier((ids, nth) => {
          if (nth === 1) return { outcome: "answered", receipts: [] };
          return answered(ids, nth < 4 ? "accept" : "deliver");
        }),
      );
      const states: string[] = [];
      for (let minute = 0; minute < 60; minute++) {
        await world.pass(60_000);
        const state = await stateOf(world, id);
        if (states.at(-1) !== state) states.push(state);
      }
      assert.deepEqual(states, ["unknown", "sent", "delivered"]);
      const [delivery] = await world.deliveries(id);
      assert.deepEqual(
        delivery?.receipts?.map(({ event }) => event),
        ["accept", "deliver"],
      );
    },
  );

  test(
    "a text that was handed over before a crash is asked about by the id that was chosen",
    quiet,
    async (world) => {
      const engine = await world.start();
      const choose = (provider: string, chosenId: string) => {
        world.sms.choose = async () => ({
          provider,
          chosenId,
          round: 1,
          passedOver: false,
          hasNext: false,
          nextOnFailedReceipt: false,
          release: () => {},
        });
      };
      choose("a", "ours-1");
      // The carrier has it; nobody lives to hear so.
      world.sms.script = never;
      const id = await world.sendSms(engine, numberOf(1));
      await world.settle();
      assert.deepEqual(world.sms.calls, [numberOf(1)]);
      world.cutOff();
      await world.start();
      const [lost] = await world.deliveries(id);
      assert.equal(lost?.state, "unknown");
      assert.equal(lost.externalId, "ours-1");
      world.sms.carriers.set("a", delivering);
      await world.pass(unknownPollDelayMs + 25_000);
      assert.equal(await stateOf(world, id), "delivered");
      assert.deepEqual(world.sms.questions, [{ entry: "a", ids: ["ours-1"] }]);
      assert.deepEqual(world.sms.calls, [numberOf(1)]);
    },
  );

  for (const step of [
    "after the claim",
    "between answer and write",
    "between receipts and the next time",
  ]) {
    test(`a crash ${step} leads to one more question`, quiet, async (world) => {
      const engine = await world.start();
      const id = await send(world, engine, "a", 1);
      world.sms.carriers.set(
        "a",
        carrier((ids, nth) => {
          if (nth > 1) return Promise.resolve(answered(ids));
          if (step === "after the claim") {
            world.cutOff();
            return never();
          }
          if (step === "between answer and write") world.cutOff();
          return Promise.resolve(answered(ids, "accept"));
        }),
      );
      const { store } = world;
      const record = store.recordReceipt;
      store.recordReceipt = async (...args) => {
        const answer = await record.apply(store, args);
        if (world.sms.questions.length === 1) world.cutOff();
        return answer;
      };
      await world.pass(firstAfterMs + 25_000);
      assert.equal(world.sms.questions.length, 1);
      assert.equal(await stateOf(world, id), "sent");
      await world.start();
      await world.pass(300_000);
      assert.equal(await stateOf(world, id), "delivered");
      assert.equal(world.sms.questions.length, 2);
      const [delivery] = await world.deliveries(id);
      assert.equal(delivery?.receipts?.length, 1);
    });
  }

  test("two engines on one store ask once", quiet, async (world) => {
    const engine = await world.start();
    await world.create().start();
    for (let n = 0; n < 30; n++) await send(world, engine, "a", n);
    world.sms.carriers.set("a", delivering);
    await world.pass(firstAfterMs + 25_000);
    const asked = world.sms.questionsTo("a").flat();
    assert.equal(asked.length, 30);
    assert.equal(new Set(asked).size, 30);
  });

  test(
    "an engine that stops ends its questions, and the next one asks",
    quiet,
    async (world) => {
      const engine = await world.start();
      const id = await send(world, engine, "a", 1);
      let isEnded = false;
      world.sms.carriers.set(
        "a",
        carrier((_ids, _nth, signal) => {
          signal.addEventListener("abort", () => {
            isEnded = true;
          });
          return never();
        }),
      );
      await world.pass(firstAfterMs + 25_000);
      await engine.drain();
      assert.equal(isEnded, true);
      world.sms.carriers.set("a", delivering);
      await world.create().start();
      await world.settle();
      assert.equal(await stateOf(world, id), "delivered");
    },
  );
}
