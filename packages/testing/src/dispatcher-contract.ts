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
import { type Dispatcher, toEpochMs, type WorkHint } from "@carillon/core";

const ranges: WorkHint = { kind: "ranges" };
const due: WorkHint = { kind: "due", at: toEpochMs(Date.UTC(2026, 0, 1)) };

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
    test("tells everybody who listens of each hint, in order", async (dispatcher) => {
      const heard = [1, 2, 3].map(() => hear(dispatcher, 2));
      dispatcher.announce(ranges);
      dispatcher.announce(due);
      for (const hints of await Promise.all(heard)) {
        assert.deepEqual(hints, [ranges, due]);
      }
    });

    test("calls nobody before the announcer goes on", async (dispatcher) => {
      let isAnnounced = false;
      const heard = new Promise<boolean>((resolve) => {
        dispatcher.listen(() => resolve(isAnnounced));
      });
      dispatcher.announce(ranges);
      isAnnounced = true;
      assert.equal(await heard, true);
    });

    test("tells nobody who stopped to listen, and everybody else", async (dispatcher) => {
      const before: WorkHint[] = [];
      const stop = dispatcher.listen((hint) => before.push(hint));
      const first = hear(dispatcher, 1);
      dispatcher.announce(ranges);
      await first;
      stop();
      stop();
      const second = hear(dispatcher, 1);
      dispatcher.announce(due);
      assert.deepEqual(await second, [due]);
      assert.deepEqual(before, [ranges]);
    });

    test("lets a listener announce, and stop to listen, as it is told", async (dispatcher) => {
      const heard = hear(dispatcher, 2);
      const stop = dispatcher.listen(() => {
        stop();
        dispatcher.announce(due);
      });
      dispatcher.announce(ranges);
      assert.deepEqual(await heard, [ranges, due]);
    });

    test("takes hints that nobody listens to, and any after its end", async (dispatcher) => {
      dispatcher.announce(ranges);
      await Promise.all([dispatcher.close(), dispatcher.close()]);
      dispatcher.announce(ranges);
      await dispatcher.close();
    });
  });
}

/** The next hints, so many of them. */
function hear(dispatcher: Dispatcher, count: number): Promise<WorkHint[]> {
  const { promise, resolve } = Promise.withResolvers<WorkHint[]>();
  const hints: WorkHint[] = [];
  const stop = dispatcher.listen((hint) => {
    hints.push(hint);
    if (hints.length < count) return;
    stop();
    resolve(hints);
  });
  return promise;
}
