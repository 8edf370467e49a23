/**
 * Events through the real server: exact counts, resuming, status URLs and the
 * event topic, under faults. Receivers are processes of their own.
 */

import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, test } from "node:test";
import {
  call,
  createTopic,
  notifications,
  publish,
  publishPath,
  request,
  subscribe,
  topicUrn,
} from "./harness/api.ts";
import {
  basicAuthorization,
  CarillonProcess,
  credentials,
} from "./harness/carillon-process.ts";
import { EventStream } from "./harness/event-stream.ts";
import { seedSubscriptions } from "./harness/seed-subscriptions.ts";
import { createFolder } from "./harness/temporary-folder.ts";
import { until } from "./harness/until.ts";
import { WebhookSink } from "./harness/webhook-sink.ts";
import { startWebhookSink } from "./harness/webhook-sink-process.ts";

describe("events", { concurrency: 2 }, () => {
  test("counts a fan-out of 20,000 exactly, at most 50 a second one by one", {
    timeout: 290_000,
  }, async () => {
    const count = 20_000;
    await using folder = await createFolder();
    await using hooks = await startWebhookSink();
    const first = await CarillonProcess.start({ data: folder.path });
    await first.stop();
    const endpoint = (n: number) => `http://127.0.0.1:${hooks.port}/hook/${n}`;
    await seedSubscriptions(folder.path, "big", count, endpoint);
    await using server = await CarillonProcess.start({ data: folder.path });
    await using all = await EventStream.open(server);
    await using filtered = await EventStream.open(
      server,
      "?events=delivery.delivered&protocol=http&topic=big",
    );
    await using others = await EventStream.open(server, "?protocol=email");
    const startedAt = performance.now();
    await publish(server, "big", "to all");
    const sum = (stream: EventStream) => stream.counts()["delivery.delivered"];
    await until(
      async () => sum(all) === count && sum(filtered) === count,
      () =>
        `all are told: ${JSON.stringify([all.counts(), filtered.counts()])}`,
      240_000,
    );
    const seconds = (performance.now() - startedAt) / 1000;
    const single = all.events.filter(({ name }) => name !== "summary").length;
    assert.ok(single <= 50 * (seconds + 1), `${single} in ${seconds} s`);
    assert.deepEqual(all.counts(), { "delivery.delivered": count });
    assert.deepEqual(others.counts(), {});
    const [event] = all.events;
    assert.equal(event?.data.topicUrn, topicUrn("big"));
    assert.match(String(event?.data.endpoint), /\/hook\//);
  });

  test("tells 200 listeners the same", { timeout: 120_000 }, async () => {
    const messages = 40;
    await using folder = await createFolder();
    await using hooks = await startWebhookSink();
    await using server = await CarillonProcess.start({ data: folder.path });
    await prepareTopic(server, "alerts", `http://127.0.0.1:${hooks.port}/a`);
    await using listeners = new AsyncDisposableStack();
    const streams = await Promise.all(
      Array.from({ length: 200 }, async () =>
        listeners.use(
          await EventStream.open(server, "?events=delivery.*&topic=alerts"),
        ),
      ),
    );
    for (let n = 0; n < messages; n++) await publish(server, "alerts", `${n}`);
    const wanted = JSON.stringify({ "delivery.delivered": messages });
    await until(
      async () => streams.every((it) => JSON.stringify(it.counts()) === wanted),
      "each listener is told all",
      60_000,
    );
  });

  test("resumes behind the last event over kill -9: nothing lost, nothing twice", {
    timeout: 120_000,
  }, async () => {
    await using folder = await createFolder();
    await using hooks = await startWebhookSink();
    const told: string[] = [];
    const published: string[] = [];
    let lastId: string | undefined;
    for (let round = 0; round < 4; round++) {
      await using server = await CarillonProcess.start({ data: folder.path });
      if (round === 0) {
        await prepareTopic(
          server,
          "alerts",
          `http://127.0.0.1:${hooks.port}/a`,
        );
      }
      await using stream = await EventStream.open(
        server,
        "?events=delivery.delivered&topic=alerts",
        lastId,
      );
      const ids = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          publish(server, "alerts", `${round} ${n}`),
        ),
      );
      published.push(...ids);
      if (round === 3) {
        await until(
          async () => told.length + stream.events.length >= published.length,
          "the rest is told",
        );
      } else await until(async () => stream.events.length > 3, "some are told");
      await server.kill();
      await stream.ended;
      told.push(...stream.events.map(({ data }) => String(data.messageId)));
      lastId = stream.lastId;
    }
    assert.deepEqual(told.sort(), published.sort());
  });

  test("ends streams when it stops, and says so", async () => {
    await using folder = await createFolder();
    await using server = await CarillonProcess.start({ data: folder.path });
    await using stream = await EventStream.open(server);
    assert.equal(await server.stop(), 0);
    await stream.ended;
    assert.deepEqual(stream.events.at(-1), {
      name: "end",
      id: undefined,
      data: { reason: "stopping" },
    });
  });

  test("refuses what it does not understand, and goes on from a gap", async () => {
    await using folder = await createFolder();
    await using server = await CarillonProcess.start({ data: folder.path });
    for (const query of [
      "?events=delivery.lost",
      "?protocol=fax",
      "?after=%20",
      // Positions are good as they were given.
      "?after=00",
      "?after=0.0",
      "?after=0.01",
    ]) {
      const path = `/api/v2/events${query}`;
      assert.equal((await request(server, "GET", path)).status, 400, query);
    }
    await using stream = await EventStream.open(server, "?after=4711");
    await until(async () => stream.events.length === 1, "the gap is told");
    assert.equal(stream.events[0]?.name, "gap");
    assert.deepEqual(stream.events[0]?.data, { from: "4711" });
  });

  test("cuts off a listener that never reads, after its bound", {
    timeout: 240_000,
  }, async () => {
    await using folder = await createFolder();
    await using hooks = await startWebhookSink();
    const first = await CarillonProcess.start({ data: folder.path });
    await first.stop();
    // So that a few thousand events are more than the kernel keeps unread.
    const path = "a".repeat(1900);
    const endpoint = (n: number) =>
      `http://127.0.0.1:${hooks.port}/hook/${n}/${path}`;
    await seedSubscriptions(folder.path, "big", 100, endpoint);
    await using server = await CarillonProcess.start({ data: folder.path });
    const { hostname, port } = new URL(server.url);
    const deaf = connect({ host: hostname, port: Number(port) });
    using _ = { [Symbol.dispose]: () => deaf.destroy() };
    deaf.on("error", () => {}).pause();
    deaf.write(
      `GET /api/v2/events HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: ${basicAuthorization}\r\n\r\n`,
    );
    await using reader = await EventStream.open(server);
    const metric = async (name: string) => {
      const text = await (await fetch(`${server.url}/metrics`)).text();
      const [, value] = new RegExp(`^${name} (\\d+)$`, "m").exec(text) ?? [];
      return Number(value);
    };
    const open = () => metric("carillon_event_streams");
    await until(async () => (await open()) === 2, "both listen");
    const startedAt = performance.now();
    let count = 0;
    await until(
      async () => {
        await publish(server, "big", "to all");
        count += 100;
        return (await open()) === 1;
      },
      () => `it is cut off: ${count} events`,
      200_000,
      400,
    );
    const seconds = (performance.now() - startedAt) / 1000;
    assert.ok(seconds > 30, `after ${seconds} s`);
    assert.equal(await metric("carillon_event_streams_dropped_total"), 1);
    // Others are told all of it meanwhile.
    await until(
      async () => reader.counts()["delivery.delivered"] === count,
      () => `the other is told ${count}: ${JSON.stringify(reader.counts())}`,
    );
  });

  test("a status URL that hangs or fails holds up nothing", {
    timeout: 120_000,
  }, async () => {
    await using folder = await createFolder();
    await using hooks = await startWebhookSink({ keepBodies: true });
    await using server = await CarillonProcess.start({ data: folder.path });
    const url = `http://127.0.0.1:${hooks.port}`;
    await prepareTopic(server, "alerts", `${url}/a`);
    const send = (path: string) =>
      call(server, "POST", publishPath("alerts"), {
        message: "x",
        status_url: `${url}${path}`,
      });
    const requests = async (kind: string) =>
      (await hooks.call("countRequests")).get(kind) ?? 0;
    for (let n = 0; n < 40; n++) {
      await send("/hang/status");
      await send("/fail/status");
    }
    await until(async () => (await requests("hang")) > 0, "one hangs");
    const ids: string[] = [];
    for (let n = 0; n < 20; n++) {
      ids.push(String((await send("/status")).message_id));
    }
    const arrivals = async (path: string) =>
      (await hooks.call("listArrivals")).filter((it) => it.path === path);
    await until(
      async () => (await arrivals("/status")).length >= 20,
      "statuses arrive",
      20_000,
    );
    const told = (await arrivals("/status")).map(({ body }) => {
      const envelope = JSON.parse(body) as Record<string, string>;
      assert.equal(envelope.type, "Notification");
      assert.ok(envelope.signature);
      assert.equal(envelope.unsubscribe_url, undefined);
      return JSON.parse(envelope.message ?? "") as Record<string, unknown>;
    });
    assert.deepEqual(told.map(({ messageId }) => messageId).sort(), ids.sort());
    for (const body of told) {
      assert.equal(body.event, "delivery.delivered");
      assert.equal(body.count, 1);
    }
    // Nor are ordinary messages, and streams.
    await using stream = await EventStream.open(
      server,
      "?events=delivery.delivered&topic=alerts",
    );
    const id = await publish(server, "alerts", "after");
    await until(
      async () =>
        stream.events.some(({ data }) => data.messageId === id) &&
        (await arrivals("/a")).some(({ messageId }) => messageId === id),
      "it arrives, and is told",
      10_000,
    );
    await until(async () => (await requests("fail")) >= 40, "all are tried");
  });

  test("accepts each event once into the ledger, whatever is killed", {
    timeout: 240_000,
  }, async () => {
    await using folder = await createFolder();
    await using sink = await WebhookSink.start();
    const published = new Set<string>();
    for (let round = 0; round < 8; round++) {
      await using server = await CarillonProcess.start({ data: folder.path });
      if (round === 0) await prepareTopic(server, "alerts", `${sink.url}/a`);
      const sending = Promise.all(
        Array.from({ length: 40 }, async (_, n) => {
          const answer = await call(server, "POST", publishPath("alerts"), {
            message: `${round} ${n}`,
            status_url: `${sink.url}/status`,
          }).catch(() => undefined);
          if (answer) published.add(String(answer.message_id));
        }),
      );
      if (round < 7) {
        const before = sink.arrivals.length;
        await sink.until(
          () => sink.arrivals.length > before + 7 * (round + 1),
          "some arrive",
        );
        await server.kill();
        await sending;
        continue;
      }
      await sending;
      const statuses = () =>
        sink.arrivals
          .filter((it) => it.path === "/status")
          .map(({ body, messageId }) => {
            const { message } = JSON.parse(body) as { message: string };
            const told = JSON.parse(message) as Record<string, unknown>;
            return { id: String(told.messageId), messageId };
          });
      await sink.until(() => {
        const told = new Set(statuses().map(({ id }) => id));
        return [...published].every((id) => told.has(id));
      }, "each is told");
      // A post may come twice after a kill; the event behind it is one.
      const events = new Map<string, Set<string>>();
      for (const { id, messageId } of statuses()) {
        events.set(id, (events.get(id) ?? new Set()).add(messageId));
      }
      for (const [id, messageIds] of events) {
        assert.equal(messageIds.size, 1, `${id}: ${[...messageIds]}`);
      }
    }
  });

  test("publishes to the event topic, of which filter policies choose", async () => {
    await using folder = await createFolder();
    await using sink = await WebhookSink.start();
    await using server = await CarillonProcess.start({ data: folder.path });
    // There once somebody subscribes to it, and only the service publishes.
    await subscribe(server, "carillon-events", "http", `${sink.url}/events`);
    await sink.until(() => sink.confirmed.has("/events"), "it is confirmed");
    const refused = await request(
      server,
      "POST",
      publishPath("carillon-events"),
      { message: "x" },
    );
    assert.equal(refused.status, 403);
    await prepareTopic(server, "alerts", `${sink.url}/a`);
    const id = await publish(server, "alerts", "x");
    const told = () =>
      sink.arrivals
        .filter((it) => it.path === "/events")
        .map(({ body }) => JSON.parse(JSON.parse(body).message));
    await sink.until(
      () =>
        told().some(
          (it) => it.event === "delivery.delivered" && it.messageId === id,
        ),
      "it is told",
    );
    // Each is a delivery of its own: they may come in another order.
    await sink.until(
      () =>
        told().some(
          (it) =>
            it.event === "subscription.confirmed" &&
            it.topicUrn === topicUrn("alerts"),
        ),
      "the subscription is told",
    );
    const events = told();
    // Of the deliveries of events nothing is told.
    const own = new Set(
      sink.arrivals.map((it) => `${it.path} ${it.messageId}`),
    );
    assert.deepEqual(
      events.filter((it) => own.has(`/events ${it.messageId}`)),
      [],
    );
    const { topics } = await call(server, "GET", `${notifications}/topics`);
    assert.ok(
      (topics as { name: string }[]).some(
        (it) => it.name === "carillon-events",
      ),
    );
    assert.ok(credentials.projectId);
  });

  test("says when an endpoint fails, and when it recovers", {
    timeout: 60_000,
  }, async () => {
    await using folder = await createFolder();
    await using sink = await WebhookSink.start();
    await using server = await CarillonProcess.start({ data: folder.path });
    await prepareTopic(server, "alerts", `${sink.url}/a`);
    await using stream = await EventStream.open(
      server,
      "?events=endpoint.failing,endpoint.recovered",
    );
    sink.status = () => 500;
    for (let n = 0; n < 6; n++) await publish(server, "alerts", "x");
    await until(async () => stream.events.length === 1, "it fails");
    sink.status = () => 200;
    await publish(server, "alerts", "y");
    await until(async () => stream.events.length === 2, "it recovers");
    assert.deepEqual(stream.counts(), {
      "endpoint.failing": 1,
      "endpoint.recovered": 1,
    });
    assert.equal(stream.events[0]?.data.endpoint, `${sink.url}/a`);
  });
});

/** A topic with one confirmed endpoint. */
async function prepareTopic(
  server: CarillonProcess,
  topic: string,
  endpoint: string,
): Promise<void> {
  await createTopic(server, topic);
  await using stream = await EventStream.open(
    server,
    `?events=subscription.confirmed&topic=${topic}`,
  );
  await subscribe(server, topic, "http", endpoint);
  await until(async () => stream.events.length > 0, "it is confirmed");
}
