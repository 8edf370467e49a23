/** A text that a crash cut off from its answer is asked about, and not repeated. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { text as readText } from "node:stream/consumers";
import { test } from "node:test";
import { startFakeAts } from "@carillon/testing/fake-carriers/ats";
import {
  basicAuthorization,
  CarillonProcess,
  credentials,
} from "./harness/carillon-process.ts";
import { createFolder } from "./harness/temporary-folder.ts";
import { until } from "./harness/until.ts";

const account = { username: "acme", password: "secret" };

/** In front of a carrier: hands on all requests, and no answer while it mutes. */
async function startMute(carrierUrl: string) {
  let isMute = true;
  const server = createServer(async (request, response) => {
    const answer = await fetch(`${carrierUrl}${request.url}`, {
      method: request.method ?? "POST",
      headers: { "content-type": request.headers["content-type"] ?? "" },
      body: await readText(request),
    });
    const body = await answer.text();
    if (isMute) return;
    const type = answer.headers.get("content-type") ?? "";
    response.writeHead(answer.status, { "content-type": type }).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    speak: () => {
      isMute = false;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function call(
  { url }: { readonly url: string },
  method: string,
  path: string,
  body?: unknown,
) {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: basicAuthorization,
      "content-type": "application/json",
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return JSON.parse(await response.text());
}

test("a text that ATS took before kill -9 is unknown, then delivered, and sent once", async () => {
  await using ats = await startFakeAts(account);
  await using mute = await startMute(ats.baseUrl);
  await using folder = await createFolder();
  const data = folder.path;
  const config = join(data, "carillon.json");
  const provider = {
    type: "ats",
    name: "ats",
    ...account,
    keyword: "KW",
    from: "9001103",
    prefix: "shop",
    baseUrl: mute.url,
  };
  await writeFile(config, JSON.stringify({ sms: { providers: [provider] } }));
  const options = { data, args: ["--config", config] };

  await using first = await CarillonProcess.start(options);
  const { message_id: id } = await call(
    first,
    "POST",
    `/v2/${credentials.projectId}/notifications/sms`,
    { endpoint: "+420777123456", message: "Hello" },
  );
  await until(() => ats.texts.length === 1, "ATS has the text");
  await first.kill();

  const path = `/api/v2/messages/${id}/deliveries`;
  const uniq = ats.texts[0]?.fields.uniq ?? "";
  assert.match(uniq, /^shop-/);
  mute.speak();
  ats.setState(uniq, 23);
  {
    await using second = await CarillonProcess.start(options);
    const [delivery] = (await call(second, "GET", path)).deliveries;
    assert.equal(delivery.state, "unknown");
    assert.equal(delivery.externalId, uniq);
    assert.ok(Date.parse(delivery.pollAt) > Date.now() + 60_000);
  }
  // As if the two minutes were over.
  {
    using database = new DatabaseSync(join(data, "carillon.db"));
    database.exec("UPDATE deliveries SET poll_at = 1 WHERE poll_at > 1");
  }
  await using third = await CarillonProcess.start(options);
  await until(async () => {
    const [delivery] = (await call(third, "GET", path)).deliveries;
    return delivery.state === "delivered";
  }, "the text is delivered");
  assert.equal(ats.texts.length, 1);
});
