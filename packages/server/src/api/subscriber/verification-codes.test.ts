/** Codes that are sent to two processes on one store. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "@carillon/core";
import {
  interceptCalls,
  ManualClock,
  MemoryStore,
  seededRandom,
} from "@carillon/testing";
import {
  startTestServer,
  type TestServer,
  tokenIn,
} from "../../../test-support/test-server.ts";

const endpoint = "+491700000000";

/** Each call of the store takes effect some turns of the event loop later. */
function heldUp(store: Store, random: () => number): Store {
  return interceptCalls(store, async (_, call) => {
    const turns = Math.floor(random() * 3);
    for (let turn = 0; turn < turns; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    return await call();
  });
}

async function setUp(seed: number) {
  const clock = new ManualClock();
  const writes: string[] = [];
  const store = new MemoryStore({ clock });
  const noted = interceptCalls(store as Store, (method, call) => {
    if (/^(change|confirm)/.test(String(method))) writes.push(String(method));
    return call();
  });
  const random = seededRandom(seed);
  // Started at once, so that they make one identity.
  const one = await startTestServer({ store: noted, unstarted: true });
  const other = await startTestServer({
    store: heldUp(noted, random),
    unstarted: true,
  });
  await one.start();
  await one.call("POST", `${one.base}/topics`, { name: "a" });
  await one.call(
    "POST",
    `${one.base}/topics/${one.topicUrn("a")}/subscriptions`,
    {
      protocol: "sms",
      endpoint,
      extension: { verification_code_enabled: true },
    },
  );
  await one.clock.advanceSettled(1000);
  const code = tokenIn(one.sent.at(-1)?.message.content);
  const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, "0");
  const send = async (server: TestServer, token: string) => {
    const query = new URLSearchParams({
      token,
      topic_urn: one.topicUrn("a"),
      endpoint,
    });
    const path = "/rest/v2/notifications/subscription/confirm";
    const answer = await server.app.inject({ url: `${path}?${query}` });
    return answer.statusCode;
  };
  return {
    servers: [one, other] as const,
    code,
    wrong,
    send,
    clock,
    writes,
    async [Symbol.asyncDispose]() {
      await one[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
    },
  };
}

test("two processes take five wrong codes together", async () => {
  await using it = await setUp(1);
  const { servers, send, clock, code, wrong } = it;
  const [one, other] = servers;
  for (let n = 0; n < 3; n++) assert.equal(await send(one, wrong), 403);
  for (let n = 0; n < 2; n++) assert.equal(await send(other, wrong), 403);
  assert.equal(await send(one, code), 403);
  assert.equal(await send(other, code), 403);
  clock.advance(3_600_000);
  assert.equal(await send(other, code), 200);
});

test("many wrong codes at once are no way around", async () => {
  for (let seed = 1; seed <= 6; seed++) {
    await using it = await setUp(seed);
    const { servers, send, code, wrong } = it;
    const guesses = Array.from({ length: 12 }, (_, n) =>
      send(servers[n % 2 ? 1 : 0], wrong),
    );
    await Promise.all(guesses);
    for (const server of servers) assert.equal(await send(server, code), 403);
  }
});

test("a right code is one write, a code beyond the limit none", async () => {
  await using it = await setUp(1);
  const { servers, send, writes, code, wrong } = it;
  writes.length = 0;
  for (let n = 0; n < 9; n++) await send(servers[0], wrong);
  assert.deepEqual(writes, Array(5).fill("changeCounters"));
  await using fresh = await setUp(2);
  fresh.writes.length = 0;
  assert.equal(await fresh.send(fresh.servers[0], fresh.code), 200);
  assert.deepEqual(fresh.writes, ["confirmSubscription"]);
  assert.equal(await send(servers[0], code), 403);
});
