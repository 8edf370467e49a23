/**
 * What is fetched, through the real server: every way of fetching, under kills, cut
 * connections and clients that do not read.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { describe, test } from "node:test";
import {
  call,
  createTopic,
  publish,
  type Reachable,
  request,
  subscribe,
} from "./harness/api.ts";
import {
  basicAuthorization,
  CarillonProcess,
} from "./harness/carillon-process.ts";
import { EventStream } from "./harness/event-stream.ts";
import { getMessage, listDeliveries } from "./harness/ledger.ts";
import { notipyClients } from "./harness/notipy-client.ts";
import {
  addCategory,
  createPublisher,
  createSubscriber,
  follow,
  listDead,
  type Pulled,
  PullSocket,
  receive,
  redrive,
  settle,
  streamPath,
  subscribeMailbox,
} from "./harness/pull.ts";
import { TcpProxy } from "./harness/tcp-proxy.ts";
import { createFolder } from "./harness/temporary-folder.ts";
import { until } from "./harness/until.ts";
import { WebhookSink } from "./harness/webhook-sink.ts";

const topic = "news";

/** A server with a topic that fills the mailbox of that name. */
async function startServer(env: Readonly<Record<string, string>> = {}) {
  const folder = await createFolder();
  const options = { data: folder.path, env };
  let server = await CarillonProcess.start(options);
  await createTopic(server, topic);
  await subscribeMailbox(server, topic, topic);
  return {
    get url() {
      return server.url;
    },
    get process() {
      return server;
    },
    /** At another port. */
    async restart(): Promise<void> {
      server = await CarillonProcess.start(options);
    },
    async [Symbol.asyncDispose]() {
      await server.kill();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const bodiesOf = (messages: readonly Pulled[]) =>
  messages.map(({ body }) => body);

/** The messages of a stream, in the order in which they came. */
const told = ({ events }: EventStream) =>
  events
    .filter(({ name }) => name === "message")
    // Its shape is openapi.json's; the server's own tests hold it.
    .map(({ data }) => data as unknown as Pulled);

function residentMb({ process }: { readonly process: CarillonProcess }) {
  const status = readFileSync(`/proc/${process.child.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

describe("kills", { concurrency: 3 }, () => {
  test("what was leased at a kill -9 comes again after the lease, not before", {
    timeout: 120_000,
  }, async () => {
    await using server = await startServer();
    const id = await publish(server, topic, "hello");
    const [first] = await receive(server, topic, { wait: 10, lease: 12 });
    assert.equal(first?.id, id);
    assert.equal(first.deliveryCount, 1);
    await server.process.kill();
    await server.restart();
    const [again, ...rest] = await receive(server, topic, { wait: 30 });
    const early = Date.parse(first.leaseUntil) - Date.now();
    assert.ok(early <= 50, `${early} ms too early`);
    assert.equal(again?.id, id);
    assert.equal(again.deliveryCount, 2);
    assert.deepEqual(rest, []);
    const { stale } = await settle(server, topic, "ack", [first]);
    assert.deepEqual(stale, [first.leaseId]);
    const { acked } = await settle(server, topic, "ack", [again]);
    assert.deepEqual(acked, [again.leaseId]);
  });

  test("kill -9 between publish and wake-up loses nothing", {
    timeout: 200_000,
  }, async () => {
    await using server = await startServer({ CARILLON_PULL_LEASE_MS: "2000" });
    const published: string[] = [];
    const confirmed: string[] = [];
    const fetchOne = async (wait: number) => {
      const messages = await receive(server, topic, { wait });
      await settle(server, topic, "ack", messages);
      confirmed.push(...messages.map(({ id }) => id));
    };
    for (let round = 0; round < 5; round++) {
      // Its answer may be cut off; then the message comes again.
      const waiting = fetchOne(30).catch(() => {});
      published.push(await publish(server, topic, `round ${round}`));
      await server.process.kill();
      await waiting;
      await server.restart();
    }
    await until(
      async () => {
        await fetchOne(1);
        return new Set(confirmed).size === published.length;
      },
      () => `all are confirmed: ${confirmed.length} of ${published.length}`,
      30_000,
    );
    assert.deepEqual(new Set(confirmed), new Set(published));
  });

  test("an ack of before a restart still counts after it", {
    timeout: 120_000,
  }, async () => {
    await using server = await startServer();
    const id = await publish(server, topic, "hello");
    const messages = await receive(server, topic, { wait: 10 });
    assert.equal(messages.length, 1);
    assert.equal(await server.process.stop(), 0);
    await server.restart();
    assert.deepEqual(await receive(server, topic), []);
    const { acked, stale } = await settle(server, topic, "ack", messages);
    assert.deepEqual([acked?.length, stale], [1, []]);
    const { counts } = await getMessage(server, id);
    assert.equal(counts.delivered, 1);
  });

  test("a long poll is answered at once when the server stops", async () => {
    await using server = await startServer();
    const waiting = receive(server, topic, { wait: 60 });
    await until(
      async () =>
        /pull_consumers\{kind="waiting"\} 1\n/.test(await metrics(server)),
      "the poll waits",
    );
    assert.equal(await server.process.stop(), 0);
    assert.deepEqual(await waiting, []);
  });
});

async function metrics({ url }: Reachable): Promise<string> {
  const answer = await fetch(`${url}/metrics`, {
    headers: { authorization: basicAuthorization },
  });
  return await answer.text();
}

describe("streams", { concurrency: 3 }, () => {
  for (const isNoticed of [true, false]) {
    const who = isNoticed ? "the server notices" : "the server does not notice";
    test(`a cut that ${who} loses nothing and repeats nothing`, {
      timeout: 120_000,
    }, async () => {
      await using server = await startServer();
      await using proxy = await TcpProxy.start(server);
      await using first = await EventStream.openAt(proxy, streamPath(topic));
      await publish(server, topic, "1");
      await until(() => told(first).length === 1, "the first one arrives");
      await settle(server, topic, "ack", told(first));

      proxy.cut({ isNoticed });
      await first.ended;
      const second = await publish(server, topic, "2");
      await publish(server, topic, "3");
      await until(
        async () => (await getMessage(server, second)).fannedOut,
        "the second one is in the mailbox",
      );
      proxy.mend();
      await using resumed = await EventStream.openAt(
        proxy,
        streamPath(topic),
        first.lastId,
      );
      await publish(server, topic, "4");
      await until(() => told(resumed).length >= 3, "the rest arrives");
      assert.deepEqual(bodiesOf(told(resumed)), ["2", "3", "4"]);
      const { stale } = await settle(server, topic, "ack", told(resumed));
      assert.deepEqual(stale, []);
      const ids = resumed.events.map(({ id }) => Number(id));
      assert.deepEqual(
        ids,
        ids.toSorted((a, b) => a - b),
      );
      assert.deepEqual(await receive(server, topic), []);
    });
  }

  test("a stream sends no more than its credit, and goes on with acks", async () => {
    await using server = await startServer();
    await using stream = await EventStream.openAt(
      server,
      streamPath(topic, "?credit=2"),
    );
    for (let n = 1; n <= 5; n++) await publish(server, topic, String(n));
    await until(() => told(stream).length === 2, "two arrive");
    await until(async () => {
      const waiting = await call(server, "GET", subscriberPath);
      return Object(waiting.counts).waiting === 3;
    }, "three wait");
    await settle(server, topic, "ack", told(stream).slice(0, 1));
    await until(() => told(stream).length === 3, "one more arrives");
    assert.deepEqual(bodiesOf(told(stream)), ["1", "2", "3"]);
  });

  test("a client that never reads costs little memory, and is cut off", {
    timeout: 180_000,
  }, async () => {
    await using server = await startServer();
    // 75 MB.
    const messages = 300;
    const message = "x".repeat(250_000);
    for (let n = 0; n < messages; n++) await publish(server, topic, message);
    const before = residentMb(server);
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    // It is never asked for what it gets.
    socket.pause();
    socket.write(
      `GET ${streamPath(topic, "?credit=1000")} HTTP/1.1\r\nhost: x\r\nauthorization: ${basicAuthorization}\r\n\r\n`,
    );
    let peak = before;
    await until(
      () => {
        peak = Math.max(peak, residentMb(server));
        return server.process.stderr.includes("stream_blocked");
      },
      () => `it is cut off: ${server.process.stderr.slice(-1000)}`,
      90_000,
    );
    socket.destroy();
    assert.ok(peak - before < 60, `${peak - before} MB more`);
    assert.deepEqual((await request(server, "GET", "/healthz")).status, 200);
  });

  test("WebSocket: no more is under way than the credit", async () => {
    await using server = await startServer();
    for (let n = 1; n <= 6; n++) await publish(server, topic, String(n));
    await using socket = await PullSocket.open(server, topic, "?credit=2");
    await until(() => socket.messages.length === 2, "two arrive");
    const [first] = socket.messages;
    socket.send({ type: "ack", leaseIds: [first?.leaseId] });
    await until(() => socket.messages.length === 3, "an ack lets one in");
    socket.send({ type: "flow", credit: 3 });
    await until(() => socket.messages.length === 4, "so does credit");
    assert.deepEqual(bodiesOf(socket.messages), ["1", "2", "3", "4"]);
    socket.close(1000);
    await socket.closed;
    // Without waiting for the leases' end.
    await until(
      async () => {
        const { counts } = await call(server, "GET", subscriberPath);
        return Object(counts).waiting === 5;
      },
      "what was under way waits again",
      5000,
    );
    const rest = await receive(server, topic);
    assert.deepEqual(bodiesOf(rest).toSorted(), ["2", "3", "4", "5", "6"]);
  });
});

const subscriberPath = `/api/v2/subscribers/${topic}`;

describe("mailboxes", { concurrency: 3 }, () => {
  test("of many consumers no two hold the same lease", {
    timeout: 120_000,
  }, async () => {
    await using server = await startServer();
    await createPublisher(server, "legacy");
    const total = 300;
    await using stream = await EventStream.openAt(
      server,
      streamPath(topic, "?credit=1000"),
    );
    await using socket = await PullSocket.open(server, topic, "?credit=1000");
    const polled: Pulled[] = [];
    let isOver = false;
    const consumers = Array.from({ length: 4 }, async () => {
      while (!isOver) {
        polled.push(...(await receive(server, topic, { max: 3, wait: 1 })));
      }
    });
    const all = () => [...polled, ...told(stream), ...socket.messages];
    await Promise.all(
      Array.from({ length: 10 }, async (_, lane) => {
        for (let n = lane; n < total; n += 10) {
          await publish(server, topic, `message ${n}`);
        }
      }),
    );
    await until(
      () => all().length >= total,
      () => `all arrive: ${all().length}`,
    );
    isOver = true;
    await Promise.all(consumers);
    assert.equal(all().length, total);
    assert.equal(new Set(all().map(({ id }) => id)).size, total);
    assert.ok(all().every(({ deliveryCount }) => deliveryCount === 1));
  });

  test("SMN publishers reach subscribers of the Notipy protocol", async () => {
    await using server = await startServer();
    const account = await createSubscriber(server, "device");
    await subscribeMailbox(server, topic, "device");
    await publish(server, topic, "hello");
    await using client = await notipyClient(server);
    await until(
      async () => (await client.poll(account)).some(isHello),
      "it arrives",
    );
  });

  test("Notipy publishers reach webhooks, which count as passed", async () => {
    await using server = await startServer();
    await using hooks = await WebhookSink.start();
    const account = await createPublisher(server, "weather");
    await subscribe(server, "weather", "http", `${hooks.url}/hook`);
    await hooks.until(() => hooks.confirmed.size === 1, "it is confirmed");
    await subscribeMailbox(server, "weather", "device");
    await using client = await notipyClient(server);
    assert.deepEqual(await client.publish(account, "hello"), {
      passed: 2,
      failed: 0,
      total: 2,
    });
    await hooks.until(() => hooks.arrivals.length === 1, "it arrives");
    assert.equal(JSON.parse(hooks.arrivals[0]?.body ?? "").message, "hello");
  });

  test("what is over quota failed, and says so", async () => {
    await using server = await startServer();
    await createSubscriber(server, "small", { quota: 2 });
    await subscribeMailbox(server, topic, "small");
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) ids.push(await publish(server, topic, `${n}`));
    const [, , third = ""] = ids;
    await until(
      async () => (await getMessage(server, third)).fannedOut,
      "it is in the mailboxes",
    );
    const deliveries = await listDeliveries(server, third);
    const failed = deliveries.find(({ endpoint }) => endpoint === "small");
    assert.equal(failed?.state, "failed");
    assert.match(failed.error ?? "", /full|quota/);
    const [dead] = await listDead(server, "small");
    assert.equal(dead?.id, third);
    assert.match(dead.reason, /full|quota/);
    assert.equal((await receive(server, "small")).length, 2);
  });

  test("a list of categories reaches each subscriber once", async () => {
    await using server = await startServer();
    const account = await createPublisher(server, "weather");
    await addCategory(server, "weather", "north");
    await addCategory(server, "weather", "south");
    await createSubscriber(server, "device");
    await follow(server, "device", "weather", ["north", "south"]);
    await using client = await notipyClient(server);
    const counts = await client.publish(account, "hello", ["north", "south"]);
    assert.deepEqual(counts, { passed: 1, failed: 0, total: 1 });
    const [message, ...rest] = await receive(server, "device");
    assert.deepEqual(rest, []);
    assert.deepEqual(message?.categories.toSorted(), ["north", "south"]);
  });

  test("of one ordering key one message at a time is handed out", async () => {
    await using server = await startServer();
    await createPublisher(server, "orders");
    await subscribeMailbox(server, "orders", "orders");
    for (const [message, orderingKey] of [
      ["a1", "a"],
      ["a2", "a"],
      ["b1", "b"],
      ["free", undefined],
      ["a3", "a"],
    ]) {
      await call(server, "POST", "/api/v2/publishers/orders/messages", {
        message,
        ...(orderingKey !== undefined && { orderingKey }),
      });
    }
    const fetch = () => receive(server, "orders");
    const first = await fetch();
    assert.deepEqual(bodiesOf(first), ["a1", "b1", "free"]);
    assert.deepEqual(await fetch(), []);
    await settle(server, "orders", "ack", first.slice(0, 1));
    const second = await fetch();
    assert.deepEqual(bodiesOf(second), ["a2"]);
    await settle(server, "orders", "nack", second);
    const again = await fetch();
    assert.deepEqual(bodiesOf(again), ["a2"]);
    await settle(server, "orders", "ack", again);
    assert.deepEqual(bodiesOf(await fetch()), ["a3"]);
  });

  test("whoever asks for it gets the latest message on subscribing", async () => {
    await using server = await startServer();
    await publish(server, topic, "old");
    const id = await publish(server, topic, "latest");
    await until(
      async () => (await getMessage(server, id)).fannedOut,
      "it is in the mailbox",
    );
    await subscribeMailbox(server, topic, "late", { latest: true });
    await subscribeMailbox(server, topic, "later");
    assert.deepEqual(bodiesOf(await receive(server, "late")), ["latest"]);
    assert.deepEqual(await receive(server, "later"), []);
  });

  test("a publication with the same idempotency key is one", async () => {
    await using server = await startServer();
    await createPublisher(server, "weather");
    await subscribeMailbox(server, "weather", "device");
    const post = async () => {
      const answer = await fetch(
        `${server.url}/api/v2/publishers/weather/messages`,
        {
          method: "POST",
          headers: {
            authorization: basicAuthorization,
            "content-type": "application/json",
            "idempotency-key": "one",
          },
          body: '{"message":"hello"}',
        },
      );
      assert.ok(answer.ok, await answer.clone().text());
      return await answer.json();
    };
    const first = await post();
    assert.deepEqual(await post(), first);
    assert.equal((await receive(server, "device")).length, 1);
  });

  test("what is given back too often is dead until it is redriven", async () => {
    await using server = await startServer({
      CARILLON_PULL_MAX_DELIVERIES: "2",
    });
    const id = await publish(server, topic, "hello");
    for (const count of [1, 2]) {
      const messages = await receive(server, topic, { wait: 5 });
      assert.equal(messages[0]?.deliveryCount, count);
      await settle(server, topic, "nack", messages);
    }
    assert.deepEqual(await receive(server, topic), []);
    const [dead] = await listDead(server, topic);
    assert.equal(dead?.id, id);
    assert.equal(dead.deliveryCount, 2);
    assert.ok(dead.reason.length > 0);
    assert.equal((await getMessage(server, id)).counts.failed, 1);
    assert.equal(await redrive(server, topic), 1);
    assert.deepEqual(await listDead(server, topic), []);
    const messages = await receive(server, topic, { wait: 5 });
    assert.equal(messages[0]?.id, id);
    assert.equal(messages[0].deliveryCount, 1);
    await settle(server, topic, "ack", messages);
    assert.equal((await getMessage(server, id)).counts.delivered, 1);
  });
});

const isHello = ({ body }: { readonly body: string }) => body === "hello";

async function notipyClient(server: Reachable) {
  const [kind] = notipyClients;
  if (kind === undefined) throw new Error("There is no client.");
  return kind.start(server);
}
