/** Requests with a key, sent again and again to a server that is killed. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "@carillon/client";
import { call } from "./harness/api.ts";
import {
  basicAuthorization,
  CarillonProcess,
  credentials,
} from "./harness/carillon-process.ts";
import { createFolder } from "./harness/temporary-folder.ts";

const rounds = 6;
const workers = 16;

interface Sent {
  readonly key: string;
  /** Ids that were answered. */
  readonly ids: Set<string>;
  /** Whether a kill took the answer. */
  wasCut: boolean;
}

function newRequest(n: number): Sent {
  return { key: `key-${n}`, ids: new Set(), wasCut: false };
}

test("a request is carried out once, whenever the server is killed", {
  timeout: 280_000,
}, async (t) => {
  await using folder = await createFolder();
  const data = folder.path;
  const all = new Map<string, Sent>();
  /** Sent without an answer when the server was killed. */
  let open: Sent[] = [];
  let next = 0;
  for (let round = 0; round < rounds; round++) {
    await using server = await CarillonProcess.start({ data });
    const cut: Sent[] = [];
    let isOver = false;
    let answered = 0;
    const enough = Promise.withResolvers<void>();
    const work = async () => {
      while (!isOver) {
        const sent = open.pop() ?? newRequest(next++);
        all.set(sent.key, sent);
        const id = await send(server.url, sent.key).catch(() => undefined);
        if (id === undefined) {
          sent.wasCut = true;
          cut.push(sent);
          return;
        }
        sent.ids.add(id);
        // Another moment of the store's work in each round.
        if (++answered === 60 + 7 * round) enough.resolve();
      }
    };
    const working = Promise.all(Array.from({ length: workers }, work));
    await enough.promise;
    await server.kill();
    isOver = true;
    await working;
    open = [...open, ...cut];
  }
  await using server = await CarillonProcess.start({ data });
  const repeated = [...all.values()].filter(({ wasCut }) => wasCut);
  for (const { key, ids } of repeated) ids.add(await send(server.url, key));
  for (const { key, ids } of all.values()) {
    const { messages } = await call(
      server,
      "GET",
      `/api/v2/messages?tag=${key}`,
    );
    const kept = (messages as readonly { id: string }[]).map(({ id }) => id);
    assert.deepEqual(kept, [...ids], key);
  }
  t.diagnostic(`${all.size} keys, ${repeated.length} of them cut by a kill`);
  assert.ok(repeated.length >= rounds, "the kills cut into requests");
  assert.ok(all.size > 300);
});

test("the client's own retry publishes once", async () => {
  await using folder = await createFolder();
  await using server = await CarillonProcess.start({ data: folder.path });
  let requests = 0;
  const { carillon } = connect({
    endpoint: server.url,
    accessKey: credentials.accessKey,
    secretKey: credentials.secretKey,
    projectId: credentials.projectId,
    retry: { baseDelayMs: 1 },
    fetch: async (input, init) => {
      const answer = await fetch(input, init);
      // The first answer is lost on its way.
      if (++requests > 1) return answer;
      await answer.arrayBuffer();
      throw new TypeError("fetch failed");
    },
  });
  const recipients = [{ protocol: "sms", endpoint: "+4915112345678" }];
  const { id } = await carillon.messages.publish({
    audience: { kind: "direct", recipients },
    text: "x",
  });
  assert.equal(requests, 2);
  const messages = await Array.fromAsync(carillon.messages.list());
  assert.deepEqual(
    messages.map((message) => message.id),
    [id],
  );
});

/** The message's id; rejects when no answer comes. */
async function send(url: string, key: string): Promise<string> {
  const response = await fetch(`${url}/api/v2/messages`, {
    method: "POST",
    headers: {
      authorization: basicAuthorization,
      "content-type": "application/json",
      "idempotency-key": key,
    },
    body: JSON.stringify({
      audience: {
        kind: "direct",
        recipients: [{ protocol: "sms", endpoint: "+4915112345678" }],
      },
      text: key,
      tag: key,
    }),
    signal: AbortSignal.timeout(30_000),
  });
  const body = (await response.json()) as { id: string };
  assert.equal(response.status, 201, JSON.stringify(body));
  return body.id;
}
