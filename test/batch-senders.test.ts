/** Two runs of the batch sender at once, and `kill -9` in between: no text twice. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { test } from "node:test";
import { addMs, type MessageId, systemClock } from "@carillon/core";
import { openSqliteStore } from "@carillon/storage";
import {
  basicAuthorization,
  CarillonProcess,
  credentials,
} from "./harness/carillon-process.ts";
import { createFolder } from "./harness/temporary-folder.ts";
import { until } from "./harness/until.ts";

const texts = 300;

/** A carrier that takes a while, and notes who got a text. */
async function startCarrier() {
  const numbers: string[] = [];
  const server = createServer(async (request, response) => {
    const { to } = JSON.parse(await readText(request));
    numbers.push(to);
    setTimeout(() => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ id: to }));
    }, 50);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const baseUrl = `http://127.0.0.1:${port}`;
  return {
    numbers,
    provider: {
      type: "http",
      name: "carrier",
      baseUrl,
      page: {
        title: "Carrier",
        baseUrl,
        send: { path: "/texts", json: { to: "{to}", text: "{text}" } },
        answer: { format: "json", id: "id" },
      },
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Texts as batch mode stores them; answers their messages' ids. */
async function storeTexts(folder: string): Promise<string[]> {
  await using store = await openSqliteStore({ folder });
  const ids = Array.from({ length: texts }, () =>
    crypto.randomUUID().replaceAll("-", ""),
  );
  const createdAt = systemClock.now();
  await Promise.all(
    ids.map((id, n) =>
      store.acceptStored(
        {
          id: id as MessageId,
          projectId: credentials.projectId as never,
          audience: "direct",
          content: { kind: "text", text: "hello" },
          createdAt,
          expiresAt: addMs(createdAt, 3_600_000),
          timeToLiveSeconds: 3600,
          retries: "batch",
        },
        [
          {
            protocol: "sms",
            // No two follow each other, as the guard wants it.
            endpoint: `+49151${String(10_000_000 + n * 7919).padStart(8, "0")}`,
            billable: true,
          },
        ],
        { isBatched: true },
      ),
    ),
  );
  return ids;
}

test("two batch senders and kill -9 send no text twice, and lose none", async () => {
  await using carrier = await startCarrier();
  await using folder = await createFolder();
  const data = folder.path;
  const ids = await storeTexts(data);
  const config = join(data, "carillon.json");
  const sms = { providers: [carrier.provider], batch: { enabled: true } };
  await writeFile(
    config,
    JSON.stringify({ sms, allowTargets: ["127.0.0.0/8"] }),
  );
  const options = { data, args: ["--config", config] };
  const call = async (
    { url }: CarillonProcess,
    method: string,
    path: string,
    body?: object,
  ) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: basicAuthorization,
        "content-type": "application/json",
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    assert.ok(response.ok, `${method} ${path}: ${response.status}`);
    return JSON.parse(await response.text());
  };
  const run = (server: CarillonProcess, limit: number) =>
    call(server, "POST", "/api/v2/sms/batch-runs", { limit });

  {
    await using first = await CarillonProcess.start(options);
    const runs = Promise.allSettled([run(first, 100), run(first, 100)]);
    await until(() => carrier.numbers.length > 60, "60 texts are sent");
    await first.kill();
    await runs;
  }
  await using second = await CarillonProcess.start(options);
  const rest = await Promise.all([run(second, 100), run(second, 100)]);
  const left = rest.flatMap(({ sent }) => sent).length;
  assert.equal(left, 100, "what was not released before the crash");

  const states = new Map<string, number>();
  await until(async () => {
    states.clear();
    for (const id of ids) {
      const { counts } = await call(second, "GET", `/api/v2/messages/${id}`);
      for (const state of Object.keys(counts)) {
        states.set(state, (states.get(state) ?? 0) + 1);
      }
    }
    const { sent = 0, unknown = 0 } = Object.fromEntries(states);
    return sent + unknown === texts;
  }, "each text is sent, or unknown");
  const numbers = new Set(carrier.numbers);
  assert.equal(numbers.size, carrier.numbers.length, "none came twice");
  const { sent = 0, unknown = 0 } = Object.fromEntries(states);
  assert.ok(unknown > 0, "some were under way");
  assert.ok(numbers.size >= sent && numbers.size <= sent + unknown);
});
