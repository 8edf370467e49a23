/** Texts that are due together go out in few requests, and a crash loses none. */

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { startFakeAts } from "@carillon/testing/fake-carriers/ats";
import { call } from "./harness/api.ts";
import { CarillonProcess } from "./harness/carillon-process.ts";
import { createFolder } from "./harness/temporary-folder.ts";
import { until } from "./harness/until.ts";

const account = { username: "acme", password: "secret" };

/** No two are neighbours: the guard would take them for a sequence. */
const recipients = Array.from({ length: 50 }, (_, n) => ({
  protocol: "sms",
  endpoint: `+420777${String((n * 79_193 + 123_457) % 1_000_000).padStart(6, "0")}`,
}));

async function writeConfig(folder: string, baseUrl: string) {
  const file = join(folder, "carillon.json");
  const provider = {
    type: "ats",
    name: "ats",
    ...account,
    keyword: "KW",
    from: "9001103",
    baseUrl,
  };
  await writeFile(file, JSON.stringify({ sms: { providers: [provider] } }));
  return { data: folder, args: ["--config", file] };
}

const body = {
  audience: { kind: "direct", recipients },
  text: "Hello",
};

interface Delivery {
  readonly state: string;
  readonly externalId?: string;
}

async function deliveriesOf(server: CarillonProcess, id: string) {
  const path = `/api/v2/messages/${id}/deliveries?limit=100`;
  const answer = await call(server, "GET", path);
  return (answer as { deliveries: Delivery[] }).deliveries;
}

test("50 texts that are due at once become few requests, each with an outcome of its own", async () => {
  await using folder = await createFolder();
  await using ats = await startFakeAts({
    ...account,
    answer: ({ fields }) =>
      fields.recipient === recipients[7]?.endpoint ? 24 : undefined,
  });
  const options = await writeConfig(folder.path, ats.baseUrl);
  await using server = await CarillonProcess.start(options);
  const answer = await call(server, "POST", "/api/v2/messages", body);
  const { id } = answer as { id: string };
  await until(() => ats.texts.length === 49, "ATS has all texts but one");
  assert.ok(ats.requests.length <= 3, `${ats.requests.length} requests`);
  let deliveries: readonly Delivery[] = [];
  await until(async () => {
    deliveries = await deliveriesOf(server, id);
    return deliveries.every(({ state }) => state !== "sending");
  }, "all have an outcome");
  const counts = Map.groupBy(deliveries, ({ state }) => state);
  assert.equal(counts.get("sent")?.length, 49);
  assert.equal(counts.get("rejected")?.length, 1);
});

test("after kill -9 each text of a request is unknown, under its own id", async () => {
  await using folder = await createFolder();
  await using ats = await startFakeAts({ ...account, answer: () => "silence" });
  const options = await writeConfig(folder.path, ats.baseUrl);
  await using first = await CarillonProcess.start(options);
  const answer = await call(first, "POST", "/api/v2/messages", body);
  const { id } = answer as { id: string };
  const uniqs = () =>
    ats.requests.flatMap(({ text }) =>
      Array.from(text.matchAll(/<sms[^>]* uniq="([^"]+)"/g), ([, it]) => it),
    );
  await until(() => uniqs().length === 50, "all texts are on their way");
  await first.kill();
  await using second = await CarillonProcess.start(options);
  const deliveries = await deliveriesOf(second, id);
  assert.ok(deliveries.every(({ state }) => state === "unknown"));
  assert.deepEqual(
    deliveries.map(({ externalId }) => externalId).sort(),
    uniqs().sort(),
  );
  assert.equal(uniqs().length, 50);
});
