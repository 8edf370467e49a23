/** Streams of a mailbox over a network that fails in all ways. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { createApi } from "../api.ts";
import { createAccountAuthenticator, toAccount } from "../auth/account.ts";
import {
  BadRequestError,
  ConnectionError,
  ForbiddenError,
  ResourceNotFoundError,
  ServerError,
} from "../errors.ts";
import { createRetryPolicy } from "../retry.ts";
import { createStreamTransport } from "../stream-transport.ts";
import { unusedUrl } from "../testing/serve.ts";
import {
  begin,
  endEvent,
  messageEvent,
  type StreamScript,
  serveMailbox,
  wireMessage,
} from "../testing/serve-mailbox.ts";
import { createTransport } from "../transport.ts";
import { createPullQueue, type PullQueue } from "./pull-queue.ts";

const timing = {
  maxSilenceMs: 200,
  baseDelayMs: 5,
  maxDelayMs: 20,
  random: () => 0.5,
};

function queueAt(baseUrl: string): PullQueue {
  const account = toAccount({ id: "s1", secret: "secret", baseUrl });
  const authenticator = createAccountAuthenticator(account);
  const retryPolicy = createRetryPolicy({ maxRetries: 0 });
  const place = () => `${account.serviceUrl}/api/v2`;
  return createPullQueue(
    createApi(authenticator, createTransport({ retryPolicy }), place),
    createApi(authenticator, createStreamTransport({}), place),
    "s1",
    timing,
  );
}

const cut: (...ids: number[]) => StreamScript =
  (...ids) =>
  (stream) => {
    begin(stream, ...ids);
    stream.response.write("", () => stream.response.destroy());
  };
const open: (...ids: number[]) => StreamScript =
  (...ids) =>
  (stream) =>
    begin(stream, ...ids);
const end: (reason: string, ...ids: number[]) => StreamScript =
  (reason, ...ids) =>
  (stream) => {
    begin(stream, ...ids);
    stream.response.end(endEvent(reason));
  };
const refuse: (status: number, headers?: object) => StreamScript =
  (status, headers = {}) =>
  ({ response }) => {
    response.writeHead(status, {
      "content-type": "application/problem+json",
      ...headers,
    });
    response.end(JSON.stringify({ code: "NO", detail: "no" }));
  };

/** Acks messages until that of number `last`, and leaves. */
async function ackUntil(
  queue: PullQueue,
  last: number,
  options = {},
): Promise<string[]> {
  const bodies: string[] = [];
  for await (const message of queue.stream(options)) {
    bodies.push(message.body);
    assert.equal(await message.ack(), true);
    if (message.id === `m${last}`) break;
  }
  return bodies;
}

test("hands out messages with what they carry", async () => {
  await using server = await serveMailbox([open(1)]);
  const options = { credit: 5, leaseMs: 30_000 };
  for await (const message of queueAt(server.url).stream(options)) {
    const { ack, nack, extend, ...fields } = message;
    assert.deepEqual(fields, wireMessage(1));
    assert.equal(await extend(60), true);
    await ack();
    assert.equal(typeof nack, "function");
    break;
  }
  assert.equal(String(server.streams[0]?.query), "credit=5&lease=30");
  assert.deepEqual(server.settled, [
    { action: "extend", leaseIds: ["1.1.1"], seconds: 60 },
    { action: "ack", leaseIds: ["1.1.1"] },
  ]);
});

test("after a cut goes on behind the last message, in order and each once", async () => {
  await using server = await serveMailbox([cut(1), cut(1, 2, 3), open(3, 4)]);
  const told: string[] = [];
  const onConnection = (state: string) => told.push(state);
  const bodies = await ackUntil(queueAt(server.url), 4, { onConnection });
  assert.deepEqual(bodies, ["text 1", "text 2", "text 3", "text 4"]);
  assert.deepEqual(
    server.streams.map(({ lastEventId }) => lastEventId),
    [undefined, "1", "3"],
  );
  assert.deepEqual(told, ["lost", "restored", "lost", "restored"]);
});

test("goes on behind the start of what was cut before its first event", async () => {
  await using server = await serveMailbox([
    ({ response }) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const start = "retry: 1000\nid: 5\n\n";
      response.write(start, () => response.destroy());
    },
    open(6),
  ]);
  assert.deepEqual(await ackUntil(queueAt(server.url), 6), ["text 6"]);
  assert.equal(server.streams[1]?.lastEventId, "5");
});

test("half an event counts for nothing", async () => {
  await using server = await serveMailbox([
    (stream) => {
      begin(stream, 1);
      const half = messageEvent(2).slice(0, -1);
      stream.response.write(half, () => stream.response.destroy());
    },
    open(2),
  ]);
  const bodies = await ackUntil(queueAt(server.url), 2);
  assert.deepEqual(bodies, ["text 1", "text 2"]);
  assert.equal(server.streams[1]?.lastEventId, "1");
});

test("a silent server counts as a cut", async () => {
  await using server = await serveMailbox([open(1), open(2)]);
  assert.deepEqual(await ackUntil(queueAt(server.url), 2), [
    "text 1",
    "text 2",
  ]);
});

test("heartbeats are no silence, and their reader may be busy", async () => {
  await using server = await serveMailbox([
    (stream) => {
      begin(stream, 1);
      const beat = () => stream.response.write(":\n\n");
      const timer = setInterval(beat, 50);
      stream.closed.then(() => clearInterval(timer));
    },
  ]);
  for await (const message of queueAt(server.url).stream()) {
    await once(AbortSignal.timeout(3 * timing.maxSilenceMs), "abort");
    await message.ack();
    break;
  }
  assert.equal(server.streams.length, 1);
});

test("waits out 429 and 5xx once it has begun", async () => {
  await using server = await serveMailbox([
    cut(1),
    refuse(503),
    refuse(429, { "retry-after": "0" }),
    refuse(500),
    open(2),
  ]);
  await ackUntil(queueAt(server.url), 2);
  assert.equal(server.streams.length, 5);
});

test("what will not pass ends it, behind what had come", async () => {
  await using server = await serveMailbox([cut(1, 2), refuse(403)]);
  const bodies: string[] = [];
  await assert.rejects(async () => {
    for await (const message of queueAt(server.url).stream()) {
      bodies.push(message.body);
      await message.ack();
    }
  }, ForbiddenError);
  assert.deepEqual(bodies, ["text 1", "text 2"]);
});

test("says at once what is wrong with the first request", async () => {
  await using server = await serveMailbox([refuse(400)]);
  await assert.rejects(queueAt(server.url).stream().next(), BadRequestError);
  const nowhere = queueAt(await unusedUrl());
  await assert.rejects(nowhere.stream().next(), ConnectionError);
});

test("goes on as the server's reason for an end says", async () => {
  await using server = await serveMailbox([
    end("renew", 1),
    end("stopping", 2),
    end("blocked", 3),
    end("resumed_elsewhere", 4),
    end("mailbox_gone", 5),
  ]);
  const bodies: string[] = [];
  const told: string[] = [];
  const onConnection = (state: string) => told.push(state);
  await assert.rejects(async () => {
    for await (const message of queueAt(server.url).stream({ onConnection })) {
      bodies.push(message.body);
      await message.ack();
    }
  }, ResourceNotFoundError);
  assert.deepEqual(
    bodies,
    [1, 2, 3, 4, 5].map((n) => `text ${n}`),
  );
  assert.deepEqual(
    server.streams.map(({ lastEventId }) => lastEventId),
    [undefined, "1", "2", "3", undefined],
  );
  assert.deepEqual(told, []);
});

const ways: Readonly<Record<string, () => boolean>> = {
  "by break": (): boolean => false,
  "by an exception": (): never => {
    throw new Error("mine");
  },
};

for (const [way, leave] of Object.entries(ways)) {
  test(`leaving the loop ${way} gives back what was not settled`, async () => {
    await using server = await serveMailbox([open(1, 2, 3, 4)]);
    const left = (async () => {
      for await (const message of queueAt(server.url).stream()) {
        if (message.id === "m1") await message.ack();
        else if (message.id === "m3" && !leave()) break;
      }
    })();
    if (way === "by break") await left;
    else await assert.rejects(left, /mine/);
    // That of the second turn may still be acked.
    assert.deepEqual(server.settled.slice(1), [
      { action: "nack", leaseIds: ["1.1.3", "1.1.4"] },
    ]);
    await server.streams[0]?.closed;
  });
}

test("leaving gives nothing back that is being settled", async () => {
  await using server = await serveMailbox([open(1)]);
  let acking: Promise<boolean> | undefined;
  for await (const message of queueAt(server.url).stream()) {
    acking = message.ack();
    break;
  }
  assert.equal(await acking, true);
  assert.deepEqual(
    server.settled.map(({ action }) => action),
    ["ack"],
  );
});

test("an abort ends it with the signal's reason, whatever has come", async () => {
  await using server = await serveMailbox([open(1, 2, 3)]);
  const abort = new AbortController();
  const stream = queueAt(server.url).stream({ signal: abort.signal });
  await stream.next();
  abort.abort(new Error("enough"));
  await assert.rejects(stream.next(), /enough/);
  // The first one's turn was over: it may still be acked.
  assert.deepEqual(server.settled, [
    { action: "nack", leaseIds: ["1.1.2", "1.1.3"] },
  ]);
  await assert.rejects(
    queueAt(server.url).stream({ signal: abort.signal }).next(),
    /enough/,
  );
});

test("repeats an ack that got no answer, and tells of a stale one", async () => {
  await using server = await serveMailbox([open(1, 2)], (_, index) =>
    index < 3 ? ((["drop", 503, []] as const)[index] ?? []) : ["1.1.2"],
  );
  const answers: boolean[] = [];
  for await (const message of queueAt(server.url).stream()) {
    answers.push(await message.ack());
    if (answers.length === 2) break;
  }
  assert.deepEqual(answers, [true, false]);
  assert.equal(server.settled.length, 4);
});

test("an ack is made once when it is not to be repeated", async () => {
  await using server = await serveMailbox([], () => 503);
  const once = { repeatForMs: 0 };
  await assert.rejects(queueAt(server.url).ack(["1.1.1"], once), ServerError);
  assert.equal(server.settled.length, 1);
});

test("an ack that is refused is the caller's to see, and what it was for goes back", async () => {
  await using server = await serveMailbox([open(1)], ({ action }) =>
    action === "ack" ? 400 : [],
  );
  await assert.rejects(ackUntil(queueAt(server.url), 1), BadRequestError);
  assert.deepEqual(
    server.settled.map(({ action }) => action),
    ["ack", "nack"],
  );
});

test("what waited here for long gets its lease anew, and is passed over if it lost it", async () => {
  await using server = await serveMailbox(
    [open(1, 2, 3)],
    ({ action, leaseIds }) =>
      action === "extend" && leaseIds[0] === "1.1.2" ? leaseIds : [],
  );
  const bodies: string[] = [];
  for await (const message of queueAt(server.url).stream({ leaseMs: 100 })) {
    bodies.push(message.body);
    await once(AbortSignal.timeout(80), "abort");
    await message.ack();
    if (bodies.length === 2) break;
  }
  assert.deepEqual(bodies, ["text 1", "text 3"]);
});

test("what waited here for long keeps a lease that the server made longer", async () => {
  const until = (ms: number) => new Date(Date.now() + ms).toISOString();
  await using server = await serveMailbox([
    (stream) => {
      const leases = [60_000, 600_000, 150].map(until);
      begin(stream);
      for (const [n, leaseUntil] of leases.entries()) {
        const message = { ...wireMessage(n + 1), leaseUntil };
        stream.response.write(
          `id: ${n + 1}\nevent: message\ndata: ${JSON.stringify(message)}\n\n`,
        );
      }
    },
  ]);
  for await (const message of queueAt(server.url).stream()) {
    await once(AbortSignal.timeout(50), "abort");
    await message.ack();
    if (message.id === "m3") break;
  }
  // No more than half of the others' leases is over.
  const extended = server.settled.filter(({ action }) => action === "extend");
  assert.deepEqual(extended, [
    { action: "extend", leaseIds: ["1.1.3"], seconds: 5 },
  ]);
});

test("settles many leases in requests of a thousand", async () => {
  await using server = await serveMailbox([], ({ leaseIds }) =>
    leaseIds.slice(0, 1),
  );
  const ids = Array.from({ length: 1001 }, (_, n) => `1.1.${n + 1}`);
  const { settled, stale } = await queueAt(server.url).nack(ids, {
    delayMs: 500,
  });
  assert.equal(settled.length, 999);
  assert.deepEqual(stale, ["1.1.1", "1.1.1001"]);
  assert.deepEqual(
    server.settled.map(({ delayMs, leaseIds }) => [delayMs, leaseIds.length]),
    [
      [500, 1000],
      [500, 1],
    ],
  );
});
