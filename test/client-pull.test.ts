/** Publishers and subscribers of the client against a real Carillon server. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectSocket, createServer, type Socket } from "node:net";
import { after, before, test } from "node:test";
import {
  AuthenticationError,
  type Carillon,
  connect,
  ForbiddenError,
  InvalidCredentialsError,
  Publisher,
  ResourceNotFoundError,
  Subscriber,
} from "@carillon/client";
import { CarillonProcess, credentials } from "./harness/carillon-process.ts";
import { findFreePort } from "./harness/free-port.ts";
import {
  createFolder,
  type TemporaryFolder,
} from "./harness/temporary-folder.ts";
import { until } from "./harness/until.ts";

const leaseMs = 1500;

let data: TemporaryFolder;
let server: CarillonProcess;
let carillon: Carillon;
let port: number;

async function start(): Promise<void> {
  server = await CarillonProcess.start({
    data: data.path,
    port,
    env: {
      CARILLON_PULL_LEASE_MS: String(leaseMs),
      CARILLON_PULL_MAX_DELIVERIES: "3",
    },
  });
}

before(async () => {
  data = await createFolder();
  port = await findFreePort();
  await start();
  const { accessKey, secretKey, projectId } = credentials;
  const endpoint = server.url;
  carillon = connect({ endpoint, accessKey, secretKey, projectId }).carillon;
});

after(async () => {
  await server.kill();
  await data[Symbol.asyncDispose]();
});

/** A publisher with a category, and a subscriber that follows it. */
async function follow(name: string, baseUrl = server.url) {
  const { publishers, subscribers } = carillon;
  const publisher = await publishers.create({ name: `${name}-publisher` });
  await publishers.addCategory(publisher.name, { reference: "Disks & co" });
  const subscriber = await subscribers.create({ name });
  await subscribers.follow(name, {
    publisher: publisher.name,
    categories: ["Disks & co"],
  });
  return {
    publisher: new Publisher({ ...publisher, baseUrl: server.url }),
    subscriber: new Subscriber({ ...subscriber, baseUrl }),
  };
}

test("publishes and polls by the Notipy protocol", async () => {
  const { publisher, subscriber } = await follow("notipy");
  assert.deepEqual(await subscriber.pollMessages(), []);
  const { passed, failed, total } = await publisher.publish("one");
  assert.deepEqual([passed, failed, total], [1, 0, 1]);
  await publisher.publish("two", ["Disks & co", "unknown"]);
  assert.equal((await publisher.publish("nobody", "unknown")).total, 0);
  const messages = await subscriber.pollMessages();
  assert.deepEqual(
    messages.map(({ body }) => body),
    ["one", "two"],
  );
  assert.ok(messages.every(({ created }) => created <= new Date()));
  await messages[0]?.confirm();
  await subscriber.confirmAll(messages);
  assert.deepEqual(await subscriber.pollMessages(), []);
  const { counts } = await carillon.subscribers.get("notipy");
  assert.deepEqual(counts, { waiting: 0, leased: 0, dead: 0 });
});

test("loops over what polls bring", async () => {
  const { publisher, subscriber } = await follow("loops");
  const bodies: string[] = [];
  await publisher.publish("0");
  for await (const message of subscriber.messages({ pollEveryMs: 20 })) {
    bodies.push(message.body);
    await message.confirm();
    if (bodies.length === 3) break;
    await publisher.publish(String(bodies.length));
  }
  assert.deepEqual(bodies, ["0", "1", "2"]);
});

test("wrong and swapped credentials are told by each way", async () => {
  const baseUrl = server.url;
  const { publisher, subscriber } = await follow("credentials");
  const wrong = new Subscriber({ id: subscriber.id, secret: "x", baseUrl });
  await assert.rejects(wrong.pollMessages(), InvalidCredentialsError);
  await assert.rejects(wrong.receive(), AuthenticationError);
  await assert.rejects(wrong.stream().next(), AuthenticationError);
  const swapped = new Publisher({ id: publisher.id, secret: "x", baseUrl });
  await assert.rejects(swapped.publish("x"), InvalidCredentialsError);
  await carillon.subscribers.create({ name: "another" });
  const rotated = await carillon.subscribers.rotateSecret("another");
  const foreign = new Subscriber({
    ...rotated,
    baseUrl,
    subscription: "credentials",
  });
  await assert.rejects(foreign.receive(), ForbiddenError);
});

test("publishes once, with what a message may carry", async () => {
  const { publisher, subscriber } = await follow("carries");
  const message = {
    message: "Disk is full",
    categories: "Disks & co",
    subject: "sda",
    extraData: { disk: "sda" },
    orderingKey: "sda",
  };
  const idempotencyKey = "carries-1";
  const first = await publisher.publishMessage(message, { idempotencyKey });
  const again = await publisher.publishMessage(message, { idempotencyKey });
  assert.deepEqual(
    [first.total, first.isReplayed, again.isReplayed, again.id],
    [1, false, true, first.id],
  );
  await publisher.publishMessage({ ...message, message: "next of its key" });
  const received = await subscriber.receive({ max: 10 });
  assert.equal(received.length, 1);
  const [got] = received;
  assert.ok(got);
  const { ack, nack: _, extend: __, ...fields } = got;
  assert.partialDeepStrictEqual(fields, {
    id: first.id,
    body: message.message,
    subject: "sda",
    data: message.extraData,
    categories: ["Disks & co"],
    orderingKey: "sda",
    deliveryCount: 1,
  });
  const waiting = subscriber.receive({ waitSeconds: 30 });
  assert.equal(await ack(), true);
  assert.equal(await ack(), true);
  const [next] = await waiting;
  assert.equal(next?.body, "next of its key");
  assert.equal(await next?.ack(), true);
});

test("what is given back too often is dead, until it is redriven", async () => {
  const { publisher, subscriber } = await follow("dead");
  await publisher.publish("poison");
  const queue = carillon.pull("dead");
  for (let count = 1; count <= 3; count++) {
    const [message] = await subscriber.receive({ waitSeconds: 10 });
    assert.equal(message?.deliveryCount, count);
    await message?.nack();
  }
  const dead = await Array.fromAsync(subscriber.dead());
  assert.equal(dead.length, 1);
  assert.equal(dead[0]?.deliveryCount, 3);
  assert.ok(dead[0]?.reason);
  assert.deepEqual(await Array.fromAsync(queue.dead()), dead);
  assert.equal(await queue.redrive([dead[0].id]), 1);
  assert.equal(await queue.redrive(), 0);
  const [message] = await queue.receive({ waitSeconds: 10 });
  assert.equal(message?.id, dead[0].id);
  await message?.ack();
});

test("a lease that ended is stale, and the message comes again", async () => {
  const { publisher, subscriber } = await follow("stale");
  await publisher.publish("slow");
  const deliveries: [string, number, boolean][] = [];
  for await (const message of subscriber.stream()) {
    if (message.deliveryCount === 1) {
      await new Promise((resolve) => setTimeout(resolve, leaseMs * 1.2));
    } else {
      // An extended lease outlives what the server is set up for.
      assert.equal(await message.extend(30), true);
      await new Promise((resolve) => setTimeout(resolve, leaseMs * 1.2));
    }
    const { id, deliveryCount } = message;
    deliveries.push([id, deliveryCount, await message.ack()]);
    if (deliveries.length === 2) break;
  }
  const [[id]] = deliveries as [[string, number, boolean]];
  assert.deepEqual(deliveries, [
    [id, 1, false],
    [id, 2, true],
  ]);
});

test("leaving a stream by an exception gives back at once", async () => {
  const { publisher, subscriber } = await follow("leaving");
  for (const text of ["one", "two", "three"]) await publisher.publish(text);
  const stream = subscriber.stream({ leaseMs: 60_000 });
  await assert.rejects(async () => {
    for await (const message of stream) throw new Error(message.body);
  }, /one/);
  const received = await subscriber.receive({ waitSeconds: 5 });
  assert.deepEqual(received.map(({ body }) => body).toSorted(), [
    "one",
    "three",
    "two",
  ]);
});

test("a mailbox that is deleted ends its stream", async () => {
  const { publisher, subscriber } = await follow("deleted");
  await publisher.publish("last");
  const stream = subscriber.stream();
  const { value: message } = await stream.next();
  await message?.ack();
  const failed = assert.rejects(stream.next(), ResourceNotFoundError);
  await carillon.subscribers.delete("deleted");
  await failed;
});

test("a stream that is cut goes on in order, and nothing comes twice", async () => {
  await using network = await openNetwork();
  const { publisher, subscriber } = await follow("cut", network.url);
  await publisher.publish("1");
  const bodies: string[] = [];
  const told: string[] = [];
  const onConnection = (state: string) => told.push(state);
  for await (const { body, ack } of subscriber.stream({ onConnection })) {
    bodies.push(body);
    if (body === "1") {
      network.cut();
      await publisher.publish("2");
      await publisher.publish("3");
      network.mend();
      await publisher.publish("4");
    }
    assert.equal(await ack(), true);
    if (body === "4") break;
  }
  assert.deepEqual(bodies, ["1", "2", "3", "4"]);
  assert.deepEqual(told, ["lost", "restored"]);
});

test("what was on its way when the connection was cut comes at once", async () => {
  await using network = await openNetwork();
  const { publisher, subscriber } = await follow("on-its-way", network.url);
  await publisher.publish("1");
  const stream = subscriber.stream({ leaseMs: 60_000 });
  const first = await stream.next();
  // Nothing arrives any more, while the server believes that it does.
  network.hold();
  for (const text of ["2", "3", "4"]) await publisher.publish(text);
  await until(
    async () =>
      (await carillon.subscribers.get("on-its-way")).counts?.leased === 4,
    "the messages are leased to the stream",
  );
  network.cut();
  network.mend();
  assert.equal(await first.value?.ack(), true);
  const bodies: string[] = [];
  for await (const message of stream) {
    bodies.push(message.body);
    assert.equal(await message.ack(), true);
    if (message.body === "4") break;
  }
  assert.deepEqual(bodies, ["2", "3", "4"]);
});

test("a consumer outlives a server that is killed, and loses nothing", async () => {
  const { publisher, subscriber } = await follow("killed");
  const sent = Array.from({ length: 20 }, (_, n) => `text ${n}`);
  for (const text of sent) await publisher.publish(text);
  const acked: string[] = [];
  let killed: Promise<void> | undefined;
  for await (const { body, ack } of subscriber.stream({ credit: 4 })) {
    if (acked.length === 7) {
      killed ??= (async () => {
        await server.kill();
        await start();
      })();
    }
    if (await ack()) acked.push(body);
    if (new Set(acked).size === sent.length) break;
  }
  await killed;
  assert.deepEqual(new Set(acked), new Set(sent));
  // Twice comes only what had an ack whose answer the kill took.
  assert.ok(acked.length <= sent.length + 1, `${acked.length} acks`);
  const { counts } = await carillon.subscribers.get("killed");
  assert.deepEqual(counts, { waiting: 0, leased: 0, dead: 0 });
});

interface Network extends AsyncDisposable {
  readonly url: string;
  /** Breaks what is open, and lets nothing through. */
  cut(): void;
  /** What the server sends does not arrive. */
  hold(): void;
  mend(): void;
}

/** A network between a client and the server. */
async function openNetwork(): Promise<Network> {
  const sockets = new Set<Socket>();
  let state: "open" | "cut" | "held" = "open";
  const network = createServer((client) => {
    if (state === "cut") {
      client.destroy();
      return;
    }
    const upstream = connectSocket(port, "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
      socket.on("error", () => {});
    }
    client.pipe(upstream);
    upstream.on("data", (bytes) => {
      if (state !== "held") client.write(bytes);
    });
  });
  network.listen(0, "127.0.0.1");
  await once(network, "listening");
  const address = network.address();
  assert.ok(typeof address === "object" && address !== null);
  const cut = () => {
    state = "cut";
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    cut,
    hold() {
      state = "held";
    },
    mend() {
      state = "open";
    },
    async [Symbol.asyncDispose]() {
      cut();
      network.close();
      await once(network, "close");
    },
  };
}
