/** A message to several topics, over the API and the command line. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  call,
  createTopic,
  notifications,
  subscribe,
  topicUrn,
} from "./harness/api.ts";
import { CarillonProcess } from "./harness/carillon-process.ts";
import { rowsOf, runCommand } from "./harness/command.ts";
import { getMessage, isFinished } from "./harness/ledger.ts";
import { createFolder } from "./harness/temporary-folder.ts";
import { until } from "./harness/until.ts";
import { WebhookSink } from "./harness/webhook-sink.ts";

const topics = ["alerts", "builds", "costs"];
const endpoints = 60;

test("each subscriber gets it once, with the topic of its subscription", {
  timeout: 120_000,
}, async () => {
  await using folder = await createFolder();
  await using server = await CarillonProcess.start({ data: folder.path });
  await using hooks = await WebhookSink.start();
  for (const topic of topics) await createTopic(server, topic);
  /** By path, the first topic that it is subscribed to. */
  const first = new Map<string, string>();
  let count = 0;
  for (let n = 0; n < endpoints; n++) {
    const own = topics.filter((_, bit) => (1 + (n % 7)) & (1 << bit));
    first.set(`/hook/${n}`, topicUrn(own[0] ?? ""));
    for (const topic of own) {
      await subscribe(server, topic, "http", `${hooks.url}/hook/${n}`);
      count++;
    }
  }
  await until(
    async () => (await countConfirmed(server)) === count,
    "the subscriptions are confirmed",
  );

  const { id } = await call(server, "POST", "/api/v2/messages", {
    audience: {
      kind: "topics",
      topics: ["alerts", topicUrn("builds"), "costs"],
    },
    text: "Disk is full",
  });
  await assertEachOnce(server, hooks, String(id), first);

  const named = topics.flatMap((topic) => ["--topic", topic]);
  const run = await runCommand([
    "publish",
    ...named,
    "Disk is full",
    "--data",
    folder.path,
  ]);
  assert.equal(run.code, 0, run.stderr);
  const [row] = rowsOf(run);
  await assertEachOnce(server, hooks, String(row?.message_id), first);
  for (const [words, code, said] of [
    [["x"], 2, /Expected --topic twice or more/],
    [["--topic", "builds", "a", "b"], 2, /Expected only a text beside --topic/],
    [["--topic", "alerts", "x"], 1, /:alerts is named twice/],
    [["--topic", "missing", "x"], 1, /There is no topic "missing"/],
  ] as const) {
    const refused = await runCommand([
      "publish",
      "--topic",
      "alerts",
      ...words,
      "--data",
      folder.path,
    ]);
    assert.equal(refused.code, code, refused.stderr);
    assert.match(refused.stderr, said);
  }
});

async function assertEachOnce(
  server: CarillonProcess,
  hooks: WebhookSink,
  id: string,
  first: ReadonlyMap<string, string>,
): Promise<void> {
  await until(
    async () => isFinished(await getMessage(server, id), endpoints),
    "every delivery is final",
  );
  const { counts } = await getMessage(server, id);
  assert.deepEqual(counts, { delivered: endpoints });
  const arrivals = hooks.arrivals.filter(({ messageId }) => messageId === id);
  assert.equal(arrivals.length, endpoints);
  assert.deepEqual(
    new Map(
      arrivals
        .map(({ path, body }) => [path, JSON.parse(body).topic_urn] as const)
        .toSorted(([a], [b]) => Number(a.slice(6)) - Number(b.slice(6))),
    ),
    first,
  );
}

async function countConfirmed(server: CarillonProcess): Promise<number> {
  const path = `${notifications}/subscriptions?limit=100&status=1`;
  let count = 0;
  for (let offset = 0; ; offset += 100) {
    const page = await call(server, "GET", `${path}&offset=${offset}`);
    const found = page.subscriptions as readonly object[];
    count += found.length;
    if (found.length < 100) return count;
  }
}
