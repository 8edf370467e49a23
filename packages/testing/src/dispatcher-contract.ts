/**
 * What every dispatcher must do, as tests. Give it a way to open one:
 *
 * ```ts
 * testDispatcherContract("embedded", async () => createEmbeddedDispatcher());
 * ```
 *
 * Hints may be lost in service, but not while nothing fails: that they are not
 * is what makes a message leave at once.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Dispatcher, Notice, WorkHint } from "@carillon/core";

const range: WorkHint = { kind: "range", dueInMs: 0, messageSeq: 7 };
const delivery: WorkHint = { kind: "delivery", dueInMs: 2500 };
const freed: Notice = { kind: "work_freed" };

/**
 * Registers the suite with node:test.
 *
 * @param open answers a dispatcher to which nobody listens, each time
 */
export function testDispatcherContract(
  name: string,
  open: () => Promise<Dispatcher>,
): void {
  function test(
    title: string,
    run: (dispatcher: Dispatcher) => Promise<void>,
  ): void {
    it(title, { timeout: 10_000 }, async () => {
      const dispatcher = await open();
      try {
        await run(dispatcher);
      } finally {
        await dispatcher.close();
      }
    });
  }

  describe(`${name} keeps the dispatcher contract`, () => {
    test("offers work to one listener, to each in turn", async (dispatcher) => {
      const listeners = [listen(dispatcher), listen(dispatcher)];
      for (let n = 0; n < 10; n++) dispatcher.offer(range);
      await until(() => countOffers(listeners) === 10);
      for (const { offers } of listeners) assert.equal(offers.length, 5);
      assert.deepEqual(listeners[0]?.offers[0], range);
    });

    test("offers work on when a listener does not take it up", async (dispatcher) => {
      const full = [listen(dispatcher, false), listen(dispatcher, false)];
      const free = listen(dispatcher);
      for (let n = 0; n < 3; n++) dispatcher.offer(delivery);
      await until(() => free.offers.length === 3);
      assert.deepEqual(free.offers, [delivery, delivery, delivery]);
      for (const { offers } of full) assert.ok(offers.length <= 3);
    });

    test("leaves it at that when no listener takes work up", async (dispatcher) => {
      const full = [listen(dispatcher, false), listen(dispatcher, false)];
      dispatcher.offer(range);
      await until(() => countOffers(full) === 2);
      const free = listen(dispatcher);
      dispatcher.broadcast(freed);
      await until(() => free.notices.length === 1);
      assert.deepEqual(free.offers, []);
    });

    test("notifies each listener of every change, in order", async (dispatcher) => {
      const listeners = [1, 2, 3].map(() => listen(dispatcher));
      dispatcher.broadcast(freed);
      dispatcher.broadcast(freed);
      for (const { notices } of listeners) {
        await until(() => notices.length === 2);
        assert.deepEqual(notices, [freed, freed]);
      }
    });

    test("calls no listener before its caller goes on", async (dispatcher) => {
      let isOffered = false;
      const heard = new Promise<boolean>((resolve) => {
        dispatcher.listen({
          onOffer() {
            resolve(isOffered);
            return true;
          },
          onNotice() {},
        });
      });
      dispatcher.offer(range);
      isOffered = true;
      assert.equal(await heard, true);
    });

    test("calls no listener that stopped to listen, and every other", async (dispatcher) => {
      const before = listen(dispatcher);
      dispatcher.offer(range);
      await until(() => before.offers.length === 1);
      before.stop();
      before.stop();
      const after = listen(dispatcher);
      dispatcher.offer(delivery);
      dispatcher.broadcast(freed);
      await until(() => after.offers.length + after.notices.length === 2);
      assert.deepEqual(before, { ...before, offers: [range], notices: [] });
    });

    test("lets a listener offer, and stop to listen, as it is called", async (dispatcher) => {
      const stop = dispatcher.listen({
        onOffer() {
          stop();
          dispatcher.offer(delivery);
          return true;
        },
        onNotice() {},
      });
      dispatcher.offer(range);
      const other = listen(dispatcher);
      await until(() => other.offers.length > 0);
      assert.deepEqual(other.offers.at(-1), delivery);
    });

    test("takes hints without listeners, and any after its end", async (dispatcher) => {
      dispatcher.offer(range);
      dispatcher.broadcast(freed);
      await Promise.all([dispatcher.close(), dispatcher.close()]);
      dispatcher.offer(range);
      dispatcher.broadcast(freed);
      await dispatcher.close();
    });
  });
}

interface Heard {
  readonly offers: WorkHint[];
  readonly notices: Notice[];
  readonly stop: () => void;
}

/** `takes`: whether it takes up what it is offered. */
function listen(dispatcher: Dispatcher, takes = true): Heard {
  const offers: WorkHint[] = [];
  const notices: Notice[] = [];
  const stop = dispatcher.listen({
    onOffer(hint) {
      offers.push(hint);
      return takes;
    },
    onNotice: (notice) => void notices.push(notice),
  });
  return { offers, notices, stop };
}

function countOffers(listeners: readonly Heard[]): number {
  return listeners.reduce((sum, { offers }) => sum + offers.length, 0);
}

/** Resolves in the turn of the event loop in which the condition holds. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
