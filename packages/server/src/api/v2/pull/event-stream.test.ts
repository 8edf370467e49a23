import assert from "node:assert/strict";
import { get, type IncomingMessage } from "node:http";
import { test } from "node:test";
import {
  ask,
  basicOf,
  createAccount,
  follow,
  publishAll,
} from "../../../../test-support/pull.ts";
import {
  startTestServer,
  type TestServer,
} from "../../../../test-support/test-server.ts";

const base = "/api/v2/subscriptions/device";

interface StreamEvent {
  readonly id: string | undefined;
  readonly event: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into all of them
  readonly data: any;
}

async function setUp() {
  const server = await startTestServer();
  await createAccount(server, "publishers", "news");
  const device = await createAccount(server, "subscribers", "device");
  await follow(server, "device");
  return { server, device, port: await server.listen() };
}

/** A client that collects what comes. */
class StreamClient {
  readonly events: StreamEvent[] = [];
  /** Of the last block that had one, be it an event or not. */
  lastId: string | undefined;
  comments = 0;
  isReading = true;
  isClosed = false;
  response: IncomingMessage | undefined;
  #rest = "";

  constructor(
    port: number,
    authorization: string,
    query = "",
    headers: Readonly<Record<string, string>> = {},
  ) {
    const request = get({
      port,
      path: `${base}/stream${query}`,
      headers: { authorization, ...headers },
    });
    request.on("error", () => {
      this.isClosed = true;
    });
    request.on("response", (response) => {
      this.response = response;
      response.setEncoding("utf8");
      response.on("data", (text: string) => this.#read(text));
      if (!this.isReading) response.pause();
      response.on("error", () => {});
      response.on("close", () => {
        this.isClosed = true;
      });
    });
  }

  get messages(): readonly string[] {
    return this.events
      .filter(({ event }) => event === "message")
      .map(({ data }) => data.body);
  }

  cut(): void {
    this.response?.destroy();
  }

  #read(text: string): void {
    const parts = (this.#rest + text).split("\n\n");
    this.#rest = parts.pop() ?? "";
    for (const part of parts) {
      const lines = new Map(
        part.split("\n").map((line) => {
          const cut = line.indexOf(":");
          return [line.slice(0, cut), line.slice(cut + 1).trim()];
        }),
      );
      const data = lines.get("data");
      if (lines.has("")) this.comments++;
      this.lastId = lines.get("id") ?? this.lastId;
      if (data === undefined) continue;
      this.events.push({
        id: lines.get("id"),
        event: lines.get("event") ?? "",
        data: JSON.parse(data),
      });
    }
  }
}

async function waitFor(
  { clock }: Pick<TestServer, "clock">,
  isSo: () => boolean,
): Promise<void> {
  for (let turn = 0; turn < 1000; turn++) {
    if (isSo()) return;
    await clock.advanceSettled(1);
    await new Promise(setImmediate);
  }
  assert.fail("What was waited for did not come.");
}

test("sends messages as they come, with ids that grow", async () => {
  const { server, device, port } = await setUp();
  await using _ = server;
  const [first] = await publishAll(server, "a");
  const client = new StreamClient(port, basicOf(device));
  await waitFor(server, () => client.messages.length === 1);
  await publishAll(server, "b", "c");
  await waitFor(server, () => client.messages.length === 3);
  assert.deepEqual(client.messages, ["a", "b", "c"]);
  assert.match(
    String(client.response?.headers["content-type"]),
    /^text\/event-stream/,
  );
  const ids = client.events.map(({ id }) => Number(id));
  assert.deepEqual(
    ids,
    [...ids].sort((a, b) => a - b),
  );
  assert.equal(new Set(ids).size, 3);
  const [{ data }] = client.events as [StreamEvent];
  assert.equal(data.id, first);
  assert.equal(data.deliveryCount, 1);
  assert.ok(data.leaseId && data.leaseUntil && data.topicUrn);
});

test("sends no more than the credit, until something is confirmed", async () => {
  const { server, device, port } = await setUp();
  await using _ = server;
  await publishAll(server, "a", "b", "c");
  const client = new StreamClient(port, basicOf(device), "?credit=2");
  await waitFor(server, () => client.messages.length === 2);
  await server.clock.advanceSettled(100);
  assert.equal(client.messages.length, 2);
  const { leaseId } = client.events[0]?.data ?? {};
  await ask(server, "POST", `${base}/messages:ack`, { leaseIds: [leaseId] });
  await waitFor(server, () => client.messages.length === 3);
});

test("a cut stream goes on behind the last event that was seen", async () => {
  const { server, device, port } = await setUp();
  await using _ = server;
  await publishAll(server, "1");
  const client = new StreamClient(port, basicOf(device));
  await waitFor(server, () => client.messages.length === 1);
  const lastId = String(client.events[0]?.id);
  const { leaseId } = client.events[0]?.data ?? {};
  await ask(server, "POST", `${base}/messages:ack`, { leaseIds: [leaseId] });
  // They are on their way when the connection breaks.
  await publishAll(server, "2", "3");
  await waitFor(server, () => client.messages.length === 3);
  client.cut();
  await publishAll(server, "4");
  for (const resumed of [
    new StreamClient(port, basicOf(device), "", { "last-event-id": lastId }),
  ]) {
    await waitFor(server, () => resumed.messages.length === 3);
    assert.deepEqual(resumed.messages, ["2", "3", "4"]);
    const ids = resumed.events.map(({ id }) => Number(id));
    assert.ok(ids.every((id) => id > Number(lastId)));
    assert.deepEqual(
      ids,
      [...ids].sort((a, b) => a - b),
    );
  }
});

test("a stream that is cut off before its first event goes on, too", async () => {
  const { server, device, port } = await setUp();
  await using _ = server;
  const cut = new StreamClient(port, basicOf(device));
  await waitFor(server, () => cut.lastId !== undefined);
  assert.deepEqual(cut.events, []);
  const after = String(cut.lastId);
  // Nothing of it gets through.
  cut.response?.pause();
  await publishAll(server, "1", "2");
  await waitForLeases(server, 2);
  cut.cut();
  const headers = { "last-event-id": after };
  const resumed = new StreamClient(port, basicOf(device), "", headers);
  await waitFor(server, () => resumed.messages.length === 2);
  assert.deepEqual(resumed.messages, ["1", "2"]);
  assert.ok(Number(resumed.events[0]?.id) > Number(after));
});

async function waitForLeases(server: TestServer, count: number) {
  for (let turn = 0; turn < 1000; turn++) {
    const { body } = await server.call("GET", "/api/v2/subscribers/device");
    if (body.counts.leased === count) return;
    await server.clock.advanceSettled(1);
  }
  assert.fail("They were not leased.");
}

test("of two streams for the same events the older one ends", async () => {
  const { server, device, port } = await setUp();
  await using _ = server;
  await publishAll(server, "1", "2");
  const older = new StreamClient(port, basicOf(device));
  await waitFor(server, () => older.messages.length === 2);
  const after = older.events[0]?.id;
  const newer = new StreamClient(port, basicOf(device), `?after=${after}`);
  await waitFor(server, () => newer.messages.length === 1 && older.isClosed);
  assert.deepEqual(newer.messages, ["2"]);
  const last = older.events.at(-1);
  assert.deepEqual(
    [last?.event, last?.data],
    ["end", { reason: "resumed_elsewhere" }],
  );
});

test("a comment comes every 15 seconds, and a stream ends after ten minutes", async () => {
  const { server, device, port } = await setUp();
  await using _ = server;
  const client = new StreamClient(port, basicOf(device));
  await waitFor(server, () => client.response !== undefined);
  for (let i = 1; i <= 3; i++) {
    await server.clock.advanceSettled(15_000);
    await waitFor(server, () => client.comments >= i);
  }
  for (let i = 0; i < 40; i++) await server.clock.advanceSettled(15_000);
  await waitFor(server, () => client.isClosed);
  assert.deepEqual(client.events.at(-1)?.data, { reason: "renew" });
});

test("streams end with their mailbox, and with the server", async () => {
  const { server, device, port } = await setUp();
  await using _ = server;
  await createAccount(server, "subscribers", "other");
  const client = new StreamClient(port, basicOf(device));
  await waitFor(server, () => client.response !== undefined);
  await server.call("PATCH", "/api/v2/subscribers/device", { disabled: true });
  await waitFor(server, () => client.isClosed);
  assert.deepEqual(client.events.at(-1)?.data, { reason: "mailbox_gone" });
  await server.call("PATCH", "/api/v2/subscribers/device", { disabled: false });
  const another = new StreamClient(port, server.authorization);
  await waitFor(server, () => another.response !== undefined);
  await server[Symbol.asyncDispose]();
  await waitFor(server, () => another.isClosed);
  assert.deepEqual(another.events.at(-1)?.data, { reason: "stopping" });
});

test("a client that never reads is cut off", async () => {
  const { server, device, port } = await setUp();
  await using _ = server;
  const large = "x".repeat(250_000);
  await publishAll(server, ...Array<string>(40).fill(large));
  const client = new StreamClient(port, basicOf(device), "?credit=1000");
  client.isReading = false;
  await waitFor(server, () => client.response !== undefined);
  let isOpen = true;
  for (let turn = 0; isOpen && turn < 50; turn++) {
    await server.clock.advanceSettled(15_000);
    // What was sent gets its time on the way.
    await new Promise((resolve) => setTimeout(resolve, 10));
    const { body } = await ask(server, "GET", "/metrics");
    isOpen = body.includes('carillon_pull_consumers{kind="stream"} 1');
  }
  assert.equal(isOpen, false);
  client.response?.resume();
  await waitFor(server, () => client.isClosed);
  assert.ok(client.messages.length < 40, String(client.messages.length));
});
