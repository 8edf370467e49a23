/** Batch mode: what waits for the batch sender, and how it is attempted again. */

import assert from "node:assert/strict";
import {
  type AttemptResult,
  addMs,
  type BatchMode,
  batchReasonOf,
  batchRetriesOf,
  createBatchSender,
  type Engine,
  type MessageId,
  type MessageRetries,
  type SendErrorName,
  type StoredProfile,
  sendErrorNames,
  transientErrors,
} from "@carillon/core";
import type { EngineCases } from "./cases.ts";
import { never } from "./scripted-channel.ts";
import { projectId, type World, type WorldOptions } from "./world.ts";

const reason = batchReasonOf("sms");

const batchMode: BatchMode = {
  enabled: true,
  size: 20,
  intervalSeconds: 0,
  maxRetries: 3,
  maxAgeSeconds: 3600,
  retry: true,
  retriedErrors: transientErrors,
};

/** Settings that a test may change while its engine runs. */
interface Settings {
  mode: BatchMode;
  readonly profile: StoredProfile;
}

function settingsOf(
  profile: StoredProfile,
  mode: Partial<BatchMode> = {},
): Settings {
  return { profile, mode: { ...batchMode, ...mode } };
}

function optionsOf(settings: Settings): WorldOptions {
  return {
    engine: {
      batchRetriesOf: (protocol) =>
        protocol === "sms"
          ? batchRetriesOf("sms", settings.mode, settings.profile)
          : undefined,
    },
  };
}

let lastId = 0;

/** Keeps a text as batch mode does. */
async function storeText(
  world: World,
  to: string,
  retries: MessageRetries = "batch",
): Promise<MessageId> {
  const createdAt = world.clock.now();
  // Others than those that the world makes.
  const id = (++lastId).toString(16).padStart(32, "b") as MessageId;
  const expiresAt = addMs(createdAt, 3_600_000);
  await world.store.acceptStored(
    {
      id,
      projectId,
      audience: "direct",
      content: { kind: "text", text: "hi" },
      createdAt,
      expiresAt,
      timeToLiveSeconds: 3600,
      retries,
    },
    [{ protocol: "sms", endpoint: to, billable: true }],
    { isBatched: retries === "batch" },
  );
  return id;
}

function senderOf(world: World, engine: Engine, modeOf: () => BatchMode) {
  return createBatchSender({
    store: world.store,
    release: (why, most) => engine.release(why, most),
    clock: world.clock,
    logger: world.logger,
    modeOf,
  });
}

/** A run, with the time that it takes. */
async function runOnce(
  world: World,
  engine: Engine,
  { mode }: Settings,
  limit?: number,
) {
  const sender = senderOf(world, engine, () => mode);
  const [run] = await Promise.all([
    sender.run("sms", { limit }),
    world.pass(1000),
  ]);
  return run;
}

async function factsOf(world: World, id: MessageId) {
  const [delivery] = await world.deliveries(id);
  assert.ok(delivery);
  const { state, attemptCount, waitReason, attempts } = delivery;
  return [state, attemptCount, waitReason, attempts.at(-1)?.error] as const;
}

function failing(
  errorName: SendErrorName,
  outcome: "deferred" | "rejected",
): AttemptResult {
  return {
    outcome,
    errorName,
    errorClass: "provider",
    error: `No: ${errorName}.`,
  };
}

const down = failing("ConnectionError", "deferred");

export function testBatches({ test }: EngineCases): void {
  const phone = "+15550100001";

  test(
    "sends nothing before the batch sender comes to it, then each once",
    optionsOf(settingsOf("default")),
    async (world) => {
      const settings = settingsOf("default");
      const engine = await world.start();
      const ids = [];
      for (let n = 0; n < 5; n++) {
        ids.push(await storeText(world, `+1555010000${n}`));
      }
      await world.pass(600_000);
      assert.deepEqual(world.sms.calls, []);
      const first = await runOnce(world, engine, settings, 3);
      assert.deepEqual(
        first.sent,
        ids.slice(0, 3).map((id) => `${id}-0`),
      );
      assert.deepEqual([first.failed, first.pending], [[], []]);
      assert.equal(world.sms.calls.length, 3);
      const second = await runOnce(world, engine, settings);
      assert.equal(second.sent.length, 2);
      assert.deepEqual((await runOnce(world, engine, settings)).sent, []);
      assert.equal(world.sms.calls.length, 5);
    },
  );

  test("a run is refused where batch mode is off", {}, async (world) => {
    const engine = await world.start();
    const settings = settingsOf("pymess", { enabled: false });
    await assert.rejects(runOnce(world, engine, settings), {
      code: "BATCH_SENDING_OFF",
      message: /Batch sending is turned off/,
    });
  });

  test("what waited when batch mode was turned off goes out", {}, async (world) => {
    const settings = settingsOf("default", { size: 1 });
    const engine = await world.start(optionsOf(settings).engine);
    const sender = senderOf(world, engine, () => settings.mode);
    await storeText(world, phone);
    await storeText(world, "+15550100002");
    await sender.release("sms");
    await world.settle();
    assert.equal(world.sms.calls.length, 1);

    settings.mode = { ...settings.mode, enabled: false };
    await sender.release("sms");
    await sender.release("sms");
    await world.settle();
    assert.equal(world.sms.calls.length, 2);
    assert.deepEqual(world.logger.of("batch_left_behind"), [
      { channel: "sms", count: 1 },
    ]);
  });

  const pymess = settingsOf("pymess");

  test(
    "as pymess: tries four times with a limit of three, once a run, without backoff",
    optionsOf(pymess),
    async (world) => {
      world.sms.script = () => down;
      const engine = await world.start();
      const id = await storeText(world, phone);
      for (const attempts of [1, 2, 3]) {
        const run = await runOnce(world, engine, pymess);
        // Also what failed counts as sent, for it was attempted.
        assert.deepEqual([run.sent, run.failed], [[`${id}-0`], []]);
        assert.deepEqual(await factsOf(world, id), [
          "retrying",
          attempts,
          reason,
          "No: ConnectionError.",
        ]);
        await world.pass(300_000);
        assert.equal(world.sms.calls.length, attempts);
      }
      await runOnce(world, engine, pymess);
      const [state, attempts] = await factsOf(world, id);
      assert.deepEqual([state, attempts], ["failed", 4]);
      assert.deepEqual((await runOnce(world, engine, pymess)).sent, []);
    },
  );

  for (const errorName of sendErrorNames) {
    for (const outcome of ["deferred", "rejected"] as const) {
      const isTransient = transientErrors.some((it) => it === errorName);
      const retriedByDefault = isTransient && outcome === "deferred";
      test(
        `repeats after ${errorName} (${outcome}) as pymess; by default ${retriedByDefault ? "too" : "not"}`,
        optionsOf(pymess),
        async (world) => {
          world.sms.script = () => failing(errorName, outcome);
          const engine = await world.start();
          const id = await storeText(world, phone);
          await runOnce(world, engine, pymess);
          assert.equal((await factsOf(world, id))[0], "retrying");
          world.cutOff();
          const settings = settingsOf("default");
          const other = await world.start(optionsOf(settings).engine);
          const another = await storeText(world, "+15550100002");
          await runOnce(world, other, settings);
          const ended = outcome === "rejected" ? "rejected" : "failed";
          assert.equal(
            (await factsOf(world, another))[0],
            retriedByDefault ? "retrying" : ended,
          );
        },
      );
    }
  }

  // Of SMS Operator and ATS: to a text, and to the request that it was in.
  for (const [refused, state] of [
    ["message", "rejected"],
    ["request", "failed"],
  ] as const) {
    test(
      `as pymess: a carrier's last word on a ${refused} is not asked for again`,
      optionsOf(pymess),
      async (world) => {
        const answer = failing("RequestError", "rejected");
        world.sms.script = () => ({ ...answer, refused });
        const engine = await world.start();
        const id = await storeText(world, phone);
        await runOnce(world, engine, pymess);
        assert.deepEqual((await factsOf(world, id)).slice(0, 3), [
          state,
          1,
          undefined,
        ]);
      },
    );
  }

  test(
    "as pymess: what the service itself cut off is attempted once more",
    optionsOf(pymess),
    async (world) => {
      let answer: AttemptResult = down;
      world.sms.script = () => answer;
      const engine = await world.start();
      const id = await storeText(world, phone);
      for (let n = 1; n < 4; n++) await runOnce(world, engine, pymess);
      const error = "The service was shutting down.";
      answer = { outcome: "deferred", errorClass: "interrupted", error };
      await runOnce(world, engine, pymess);
      answer = { outcome: "accepted" };
      await world.pass(800_000);
      assert.deepEqual((await factsOf(world, id)).slice(0, 2), ["sent", 5]);
    },
  );

  test(
    "as pymess: what is too old fails without an attempt and keeps its error",
    optionsOf(pymess),
    async (world) => {
      world.sms.script = () => down;
      const engine = await world.start();
      const tried = await storeText(world, phone);
      await runOnce(world, engine, pymess);
      const untried = await storeText(world, "+15550100002");
      await world.pass(3_600_000);
      await world.pass(10_000);
      assert.deepEqual(await factsOf(world, tried), [
        "expired",
        1,
        undefined,
        "No: ConnectionError.",
      ]);
      const [state, attempts] = await factsOf(world, untried);
      assert.deepEqual([state, attempts], ["expired", 0]);
      assert.equal(world.sms.calls.length, 1);
    },
  );

  test("as pymess: what is over a limit that was lowered fails without an attempt", {}, async (world) => {
    const settings = settingsOf("pymess");
    world.sms.script = () => down;
    const engine = await world.start(optionsOf(settings).engine);
    const id = await storeText(world, phone);
    await runOnce(world, engine, settings);
    await runOnce(world, engine, settings);
    settings.mode = { ...batchMode, maxRetries: 1 };
    const run = await runOnce(world, engine, settings);
    assert.deepEqual([run.sent, run.failed], [[], [`${id}-0`]]);
    assert.deepEqual(await factsOf(world, id), [
      "failed",
      2,
      undefined,
      "No: ConnectionError.",
    ]);
    assert.equal(world.sms.calls.length, 2);
  });

  const once = [
    ["retry is off", settingsOf("pymess", { retry: false }), "batch"],
    ["retry is off", settingsOf("default", { retry: false }), "batch"],
    [
      "batch mode was turned off since",
      settingsOf("pymess", { enabled: false }),
      "batch",
    ],
    ["it was not stored for batches", settingsOf("pymess"), "none"],
  ] as const;
  for (const [why, settings, retries] of once) {
    test(
      `in profile ${settings.profile} a failure is final where ${why}`,
      optionsOf(settings),
      async (world) => {
        world.sms.script = () => down;
        const engine = await world.start();
        const id = await storeText(world, phone, retries);
        await engine.release(reason, 10);
        await world.pass(10_000);
        const [state, attempts] = await factsOf(world, id);
        assert.deepEqual([state, attempts], ["failed", 1]);
      },
    );
  }

  const outcomes = [
    [{ outcome: "accepted", receiptExpected: true }, "sent"],
    [{ outcome: "accepted" }, "sent"],
    [{ outcome: "delivered" }, "delivered"],
    [{ outcome: "simulated" }, "debug"],
    [{ outcome: "unknown", errorClass: "timeout", error: "?" }, "unknown"],
  ] as const satisfies readonly (readonly [AttemptResult, string])[];
  for (const [result, state] of outcomes) {
    test(
      `what was waiting, or retrying, becomes ${state} after ${result.outcome}, and stays so`,
      optionsOf(pymess),
      async (world) => {
        world.sms.script = (_, nth) =>
          nth === 1 && world.sms.calls[0] === phone ? down : result;
        const engine = await world.start();
        const retried = await storeText(world, phone);
        await runOnce(world, engine, pymess);
        world.sms.script = () => result;
        const fresh = await storeText(world, "+15550100002");
        await runOnce(world, engine, pymess);
        await runOnce(world, engine, pymess);
        const [first, count] = await factsOf(world, retried);
        assert.deepEqual([first, count], [state, 2]);
        const [second, one] = await factsOf(world, fresh);
        assert.deepEqual([second, one], [state, 1]);
      },
    );
  }

  test("by default it tries again by itself, each time later, and honours a wish", {}, async (world) => {
    const settings = settingsOf("default");
    const times: number[] = [];
    world.sms.script = (_, nth) => {
      times.push(world.clock.monotonic());
      return nth === 2 ? { ...down, retryAfterMs: 300_000 } : down;
    };
    const engine = await world.start(optionsOf(settings).engine);
    const id = await storeText(world, phone);
    await runOnce(world, engine, settings);
    await world.pass(3_000_000);
    const [state, attempts] = await factsOf(world, id);
    assert.deepEqual([state, attempts], ["failed", 4]);
    const waits = times.slice(1).map((at, n) => at - (times[n] ?? 0));
    const least = [30_000, 300_000, 120_000];
    const most = [37_000, 301_000, 145_000];
    for (const [n, wait] of waits.entries()) {
      assert.ok(wait >= (least[n] ?? 0) && wait <= (most[n] ?? 0), `${waits}`);
    }
  });

  test("several senders at once send each once", {}, async (world) => {
    const settings = settingsOf("pymess");
    const one = await world.start(optionsOf(settings).engine);
    const two = await world.start(optionsOf(settings).engine);
    for (let n = 10; n < 40; n++) await storeText(world, `+155501000${n}`);
    const runs = await Promise.all([
      runOnce(world, one, settings, 20),
      runOnce(world, two, settings, 20),
    ]);
    const ids = runs.flatMap(({ sent }) => sent);
    assert.equal(ids.length, 30);
    assert.equal(new Set(ids).size, 30);
    assert.equal(new Set(world.sms.calls).size, 30);
    assert.equal(world.sms.calls.length, 30);
  });

  test("what was released before a crash is sent once, what was handed over is unknown", {}, async (world) => {
    const settings = settingsOf("pymess");
    const options = optionsOf(settings).engine;
    const engine = await world.start(options);
    world.sms.script = never;
    const handedOver = await storeText(world, phone);
    await engine.release(reason, 10);
    await world.settle();
    assert.equal(world.sms.calls.length, 1);
    const released = await storeText(world, "+15550100002");
    await world.store.makeDue(reason, 10);
    world.cutOff();
    world.sms.script = () => ({ outcome: "accepted" });
    const next = await world.start(options);
    await world.pass(10_000);
    await runOnce(world, next, settings);
    assert.deepEqual((await factsOf(world, handedOver)).slice(0, 2), [
      "unknown",
      1,
    ]);
    assert.deepEqual((await factsOf(world, released)).slice(0, 2), ["sent", 1]);
    assert.deepEqual(world.sms.calls, [phone, "+15550100002"]);
  });
}
