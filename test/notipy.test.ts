/**
 * The Notipy protocol through the real server, with lease and confirm window at a
 * fraction of their length. Each client is tried on the same table of steps.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { call } from "./harness/api.ts";
import { CarillonProcess } from "./harness/carillon-process.ts";
import { startLoad } from "./harness/load.ts";
import {
  askNotipy,
  type NotipyClient,
  type NotipyMessage,
  notipyClients,
  pythonHeaders,
} from "./harness/notipy-client.ts";
import {
  type Account,
  addCategory,
  basic,
  createPublisher,
  createSubscriber,
  follow,
  receive,
  subscriptionsPath,
} from "./harness/pull.ts";
import {
  createFolder,
  type TemporaryFolder,
} from "./harness/temporary-folder.ts";

/** In place of 60 s and 9 s: a busy machine must still confirm in time. */
const leaseMs = 12_000;
const confirmWindowMs = 3000;
const pastWindow = () => pause(confirmWindowMs + 200);

let folder: TemporaryFolder;
let server: CarillonProcess;
let accounts = 0;

before(async () => {
  folder = await createFolder();
  server = await CarillonProcess.start({
    data: folder.path,
    env: {
      CARILLON_PULL_LEASE_MS: String(leaseMs),
      CARILLON_PULL_CONFIRM_WINDOW_MS: String(confirmWindowMs),
    },
  });
});

after(async () => {
  await server[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

interface Pair {
  readonly name: string;
  readonly publisher: Account;
  readonly subscriber: Account;
}

/** A publisher and a subscriber of the same name, one following the other. */
async function createPair(
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Pair> {
  const name = `pair-${++accounts}`;
  const publisher = await createPublisher(server, name);
  const subscriber = await createSubscriber(server, name, settings);
  await follow(server, name, name);
  return { name, publisher, subscriber };
}

const bodiesOf = (messages: readonly NotipyMessage[]) =>
  messages.map(({ body }) => body);

const allPassed = (total: number) => ({ passed: total, failed: 0, total });

describe("the Notipy protocol", { concurrency: 8 }, () => {
  for (const { name, skip, start } of notipyClients) {
    const options = { skip, timeout: 120_000 };

    test(
      `serves the ambiguous GET as its table says: ${name}`,
      options,
      async () => {
        await using client = start(server);
        const { publisher, subscriber } = await createPair();
        const publish = (message: string) => client.publish(publisher, message);
        const poll = async () => bodiesOf(await client.poll(subscriber));
        const confirm = () => client.confirm(subscriber);

        for (const message of ["a", "b", "c"]) {
          assert.deepEqual(await publish(message), allPassed(1));
        }
        assert.deepEqual(await poll(), ["a", "b", "c"]);

        await confirm();
        await publish("d");
        await confirm();
        await confirm();
        assert.deepEqual(await poll(), ["d"]);
        const leasedAt = performance.now();

        await pastWindow();
        assert.deepEqual(await poll(), []);

        await publish("e");
        await pastWindow();
        assert.deepEqual(await poll(), ["e"]);
        const elapsedMs = performance.now() - leasedAt;
        assert.ok(elapsedMs < leaseMs, `too slow a machine: ${elapsedMs} ms`);

        await pause(leaseMs + 200);
        assert.deepEqual(await poll(), ["d", "e"]);
      },
    );

    test(
      `a loop that confirms handles each once: ${name}`,
      options,
      async () => {
        await using client = start(server);
        const { publisher, subscriber } = await createPair();
        const handled: string[] = [];
        const expected: string[] = [];
        const publish = async (message: string) => {
          await client.publish(publisher, message);
          expected.push(message);
        };
        await publish("first");
        await publish("second");
        for (let round = 0; round < 4; round++) {
          for (const { body } of await client.poll(subscriber)) {
            handled.push(body);
            if (round < 2) await publish(`while ${body} was handled`);
            await client.confirm(subscriber);
          }
          // Clients poll every ten seconds; the window is a little less.
          await pause(confirmWindowMs * 1.1);
        }
        assert.deepEqual(handled.toSorted(), expected.toSorted());
        assert.equal(handled.length, 6);
      },
    );

    test(`ids are numbers, dates have no zone: ${name}`, options, async () => {
      await using client = start(server);
      const { publisher, subscriber } = await createPair();
      const text = "Grüße, 世界 👋 “quoted”\n";
      const before = Math.floor(Date.now() / 1000) * 1000;
      await client.publish(publisher, text);
      await client.publish(publisher, "second");
      const [first, second] = await client.poll(subscriber);
      assert.ok(first && second);
      assert.equal(first.body, text);
      assert.deepEqual(Object.keys(first).toSorted(), [
        "body",
        "created",
        "id",
      ]);
      assert.ok(Number.isSafeInteger(first.id) && second.id > first.id);
      const created = Date.parse(`${first.created}Z`);
      assert.ok(created >= before && created <= Date.now(), first.created);
    });

    test(`categories and counts: ${name}`, options, async () => {
      await using client = start(server);
      const pair = await createPair();
      const { publisher } = pair;
      await addCategory(server, pair.name, "Wetter/Süd");
      await addCategory(server, pair.name, "traffic");
      const both = await createPairOf(pair, ["Wetter/Süd", "traffic"]);
      const one = await createPairOf(pair, ["traffic"]);
      const publish = (message: string, category?: string | string[]) =>
        client.publish(publisher, message, category);

      assert.deepEqual(await publish("to all"), allPassed(3));
      assert.deepEqual(await publish("to one", "Wetter/Süd"), allPassed(1));
      assert.deepEqual(
        await publish("to both", ["Wetter/Süd", "traffic"]),
        allPassed(2),
      );
      assert.deepEqual(
        await publish("again all", ["traffic", "*"]),
        allPassed(3),
      );
      assert.deepEqual(await publish("to none", "unknown"), allPassed(0));
      assert.deepEqual(
        await publish("to some", ["unknown", "traffic"]),
        allPassed(2),
      );
      assert.deepEqual(bodiesOf(await client.poll(both)), [
        "to all",
        "to one",
        "to both",
        "again all",
        "to some",
      ]);
      assert.deepEqual(bodiesOf(await client.poll(one)), [
        "to all",
        "to both",
        "again all",
        "to some",
      ]);
    });

    test(
      `what no mailbox takes is counted as failed: ${name}`,
      options,
      async () => {
        await using client = start(server);
        const pair = await createPair({ quota: 1 });
        const disabled = `${pair.name}-disabled`;
        await createSubscriber(server, disabled);
        await follow(server, disabled, pair.name);
        await call(server, "PATCH", `/api/v2/subscribers/${disabled}`, {
          disabled: true,
        });
        const publish = (message: string) =>
          client.publish(pair.publisher, message);
        assert.deepEqual(await publish("1"), {
          passed: 1,
          failed: 1,
          total: 2,
        });
        assert.deepEqual(await publish("2"), {
          passed: 0,
          failed: 2,
          total: 2,
        });
        assert.deepEqual(bodiesOf(await client.poll(pair.subscriber)), ["1"]);
      },
    );

    test(`wrong credentials are 404: ${name}`, options, async () => {
      await using client = start(server);
      const { publisher, subscriber } = await createPair();
      for (const wrong of [
        { ...subscriber, secret: publisher.secret },
        { ...subscriber, secret: "" },
        { id: "nobody", secret: subscriber.secret },
        // Each of the two is no account of the other kind.
        publisher,
      ]) {
        await assert.rejects(client.poll(wrong), { message: "404" });
        await assert.rejects(client.confirm(wrong), { message: "404" });
      }
      for (const wrong of [
        { ...publisher, secret: subscriber.secret },
        subscriber,
      ]) {
        await assert.rejects(client.publish(wrong, "x"), { message: "404" });
      }
    });
  }

  test("Java's client confirms by id, and its GETs are polls from then on", async () => {
    const { publisher, subscriber } = await createPair();
    const other = await createPair();
    await using client = pythonless();
    for (const message of ["a", "b", "c"]) {
      await client.publish(publisher, message);
    }
    await client.publish(other.publisher, "foreign");
    const [a, b, c] = await client.poll(subscriber);
    const [foreign] = await client.poll(other.subscriber);
    assert.ok(a && b && c && foreign);
    const put = async (ids: readonly unknown[], success: boolean) => {
      const { status, text } = await askNotipy(
        server,
        "PUT",
        {
          accept: "application/json",
          "content-type": "application/json; utf-8",
          authorization: basic(subscriber),
        },
        JSON.stringify({ messages: ids, success }),
      );
      assert.equal(status, 200, text);
      return JSON.parse(text).confirmed;
    };
    assert.equal(
      await put([String(a.id), a.id, "x", foreign.id, 4e9], true),
      1,
    );
    assert.equal(await put([String(a.id)], true), 0);
    await put([b.id], false);
    // At once, though the last GET was just now.
    assert.deepEqual(bodiesOf(await client.poll(subscriber)), ["b"]);
    assert.deepEqual(bodiesOf(await client.poll(subscriber)), []);
    assert.equal(await put([String(b.id), c.id], true), 2);
    await pause(leaseMs + 200);
    assert.deepEqual(bodiesOf(await client.poll(subscriber)), []);
    assert.deepEqual(bodiesOf(await client.poll(other.subscriber)), [
      "foreign",
    ]);
  });

  test("Java's client may leave out the category", async () => {
    const { publisher } = await createPair();
    const { status, text } = await askNotipy(
      server,
      "POST",
      {
        accept: "application/json",
        "content-type": "application/json; utf-8",
        authorization: basic(publisher),
      },
      '{"message":"hello"}',
    );
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(text), {
      success: 1,
      fail: 0,
      failed: 0,
      total: 1,
    });
  });

  test("a GET of another client is always a poll", async () => {
    const { publisher, subscriber } = await createPair();
    await using client = pythonless();
    await client.publish(publisher, "a");
    await client.publish(publisher, "b");
    const headers = { authorization: basic(subscriber) };
    const poll = async () => {
      const { text } = await askNotipy(server, "GET", headers);
      return bodiesOf(JSON.parse(text));
    };
    assert.deepEqual(await poll(), ["a", "b"]);
    await client.publish(publisher, "c");
    assert.deepEqual(await poll(), ["c"]);
  });

  test("says the same of an unknown id and of a wrong secret", async () => {
    const { subscriber } = await createPair();
    const answers = await Promise.all(
      [
        {},
        { authorization: "Bearer x" },
        { authorization: "Basic !" },
        { authorization: basic({ id: "nobody", secret: "x" }) },
        { authorization: basic({ ...subscriber, secret: "x" }) },
      ].map((headers: Record<string, string>) =>
        askNotipy(server, "GET", { ...pythonHeaders, ...headers }),
      ),
    );
    for (const answer of answers) assert.equal(answer.status, 404);
    assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
  });

  test("a POST that is none says why", async () => {
    const { publisher } = await createPair();
    for (const body of [
      "",
      "{",
      "[]",
      "{}",
      '{"message":7}',
      '{"message":""}',
    ]) {
      const { status, text } = await askNotipy(
        server,
        "POST",
        { "content-type": "application/json", authorization: basic(publisher) },
        body,
      );
      assert.equal(status, 400, `${body}: ${text}`);
      assert.match(JSON.parse(text).error, /\w/);
    }
  });

  test("the pages that error texts name are there", async () => {
    for (const path of ["publishers", "subscribers/device", "categories"]) {
      const answer = await fetch(`${server.url}/notifi/${path}`);
      assert.equal(answer.status, 200);
      assert.match(await answer.text(), /carillon /);
    }
  });

  test("a POST answers once 5,000 mailboxes have it", {
    timeout: 200_000,
  }, async () => {
    const count = 5000;
    const publisher = await createPublisher(server, "many");
    await using load = startLoad();
    await load.call(
      "postAll",
      server.url + subscriptionsPath("many"),
      Array.from({ length: count }, (_, n) => ({
        protocol: "pull",
        endpoint: `many-${n}`,
      })),
      32,
    );
    await using client = pythonless();
    assert.deepEqual(
      await client.publish(publisher, "to many"),
      allPassed(count),
    );
    for (let n = 0; n < count; n += 499) {
      const [message, ...rest] = await receive(server, `many-${n}`);
      assert.equal(message?.body, "to many");
      assert.deepEqual(rest, []);
    }
  });
});

/** Another subscriber of a pair's publisher. */
async function createPairOf(
  { name }: Pair,
  categories: readonly string[],
): Promise<Account> {
  const other = `${name}-${++accounts}`;
  const subscriber = await createSubscriber(server, other);
  await follow(server, other, name, categories);
  return subscriber;
}

/** The client that needs no Python. */
function pythonless(): NotipyClient {
  const [first] = notipyClients;
  if (first === undefined) throw new Error("There is no client.");
  return first.start(server);
}
