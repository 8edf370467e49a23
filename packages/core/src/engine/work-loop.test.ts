import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@carillon/testing";
import { silentLogger } from "../ports/logger.ts";
import { WorkLoop, type WorkLoopSteps } from "./work-loop.ts";

/** Ways in which a store may answer. */
const manners: Readonly<Record<string, () => Promise<void>>> = {
  "at once": () => Promise.resolve(),
  late: async () => {
    for (let turn = 0; turn < 3; turn++) await nextTurn();
  },
};

for (const [manner, answer] of Object.entries(manners)) {
  const setUp = (
    steps: Partial<WorkLoopSteps> & { readonly onClaim?: () => void },
  ) => {
    const clock = new ManualClock();
    let claims = 0;
    const loop = new WorkLoop(
      { clock, logger: silentLogger, random: () => 0.5 },
      {
        name: "test",
        hasRoom: () => true,
        ...steps,
        async claim() {
          claims++;
          steps.onClaim?.();
          await answer();
          return (await steps.claim?.()) ?? false;
        },
      },
    );
    return { clock, loop, claims: () => claims };
  };

  test(`asks once for a hint, and again when there may be more (${manner})`, async () => {
    let left = 3;
    const { loop, claims } = setUp({ claim: async () => --left > 0 });
    loop.wake();
    await turns();
    assert.equal(claims(), 3);
    assert.equal(loop.mayHaveWork, false);
  });

  test(`a hint that comes while the store answers is not lost (${manner})`, async () => {
    let once = true;
    const { loop, claims } = setUp({
      async claim() {
        if (once) loop.wake();
        once = false;
        return false;
      },
    });
    loop.wake();
    await turns();
    assert.equal(claims(), 2);
  });

  test(`keeps a hint until there is room (${manner})`, async () => {
    let room = false;
    const { loop, claims } = setUp({ hasRoom: () => room });
    loop.wake();
    await turns();
    assert.equal(claims(), 0);
    assert.equal(loop.mayHaveWork, true);
    room = true;
    loop.roomFreed();
    await turns();
    assert.equal(claims(), 1);
  });

  test(`never starves the event loop, however much work there is (${manner})`, async () => {
    const { loop } = setUp({ claim: async () => true });
    loop.wake();
    // Would never resolve if the loop went round in microtasks.
    await new Promise<void>((resolve) => setTimeout(resolve, 5));
    await loop.stop();
  });

  test(`a wake within a claim starts no second one (${manner})`, async () => {
    let open = 0;
    let maxOpen = 0;
    let left = 5;
    const { loop } = setUp({
      onClaim: () => loop.wake(),
      async claim() {
        maxOpen = Math.max(maxOpen, ++open);
        await nextTurn();
        open--;
        return --left > 0;
      },
    });
    loop.wake();
    await turns(20);
    await loop.stop();
    assert.equal(maxOpen, 1);
    assert.ok(left <= 0);
  });

  test(`waits longer after each failure, and asks again (${manner})`, async () => {
    let failures = 3;
    const { loop, claims, clock } = setUp({
      async claim() {
        if (failures-- > 0) throw new Error("not now");
        return false;
      },
    });
    loop.wake();
    const waits: (number | undefined)[] = [];
    for (let n = 0; n < 3; n++) {
      await turns();
      // Hints do not shorten the wait.
      loop.wake();
      await turns();
      assert.equal(claims(), n + 1);
      waits.push(clock.nextTimerInMs);
      clock.advance(clock.nextTimerInMs ?? 0);
    }
    await turns();
    assert.equal(claims(), 4);
    assert.deepEqual(waits, [187.5, 375, 750]);
  });

  test(`claims nothing once it is stopped (${manner})`, async () => {
    const { loop, claims } = setUp({ claim: async () => true });
    loop.wake();
    await turns(2);
    await loop.stop();
    const before = claims();
    loop.wake();
    await turns();
    assert.equal(claims(), before);
  });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function turns(n = 40): Promise<void> {
  for (let turn = 0; turn < n; turn++) await nextTurn();
}
