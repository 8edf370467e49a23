/** A topic is deleted while its messages are on their way. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  call,
  createTopic,
  notifications,
  publish,
  subscribe,
  topicUrn,
} from "./harness/api.ts";
import { CarillonProcess } from "./harness/carillon-process.ts";
import { getMessage, isFinished } from "./harness/ledger.ts";
import { createFolder } from "./harness/temporary-folder.ts";
import { until } from "./harness/until.ts";
import { startWebhookSink } from "./harness/webhook-sink-process.ts";

test("of a topic deleted at once, the ledger says what was delivered", {
  timeout: 120_000,
}, async (t) => {
  const topics = Array.from({ length: 60 }, (_, i) => `topic-${i}`);
  await using folder = await createFolder();
  await using server = await CarillonProcess.start({ data: folder.path });
  await using hooks = await startWebhookSink();
  for (const topic of topics) {
    await createTopic(server, topic);
    const endpoint = `http://127.0.0.1:${hooks.port}/${topic}/hook`;
    await subscribe(server, topic, "http", endpoint);
  }
  await until(
    async () => (await hooks.call("countConfirmed")) === topics.length,
    "the endpoints are confirmed",
  );

  const ids: string[] = [];
  for (const topic of topics) {
    ids.push(await publish(server, topic, "the last one"));
    const path = `${notifications}/topics/${topicUrn(topic)}`;
    await call(server, "DELETE", path);
  }

  let open: readonly string[] = ids;
  const states = new Map<string, string>();
  await until(
    async () => {
      for (const id of open) {
        const message = await getMessage(server, id);
        if (!isFinished(message, 1)) continue;
        states.set(id, Object.keys(message.counts).join());
      }
      open = ids.filter((id) => !states.has(id));
      return open.length === 0;
    },
    () => `${open.length} of ${ids.length} messages have no final delivery`,
    20_000,
  );
  const absent = new Set(await hooks.call("findAbsent", ids));
  const counts = Map.groupBy(states.values(), (state) => state);
  t.diagnostic(
    [...counts].map(([state, all]) => `${all.length} ${state}`).join(", "),
  );
  for (const [id, state] of states) {
    assert.equal(state, absent.has(id) ? "cancelled" : "delivered", id);
  }
});
