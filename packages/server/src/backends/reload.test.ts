/** What a reload changes of backends and the router in modules. */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLogger } from "@carillon/core";
import { Guard, OutgoingMessage } from "@carillon/gateway";
import { MemoryStore } from "@carillon/testing";
import { loadConfig } from "../config.ts";
import {
  addProviders,
  createSmsGateway,
  prepareGateway,
} from "../text-messages.ts";

const files = {
  "mine.mjs":
    "export default ({ id }) => ({ publishMessage: () => ({ externalId: id }) });",
  "router.mjs": "export default () => 'null';",
};

test("other settings of a module, and another router, hold from the reload on", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "carillon-reload-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text);
  }
  const file = join(folder, "carillon.json");
  const read = async (settings: object, more: object = {}) => {
    const mine = {
      type: "module",
      name: "mine",
      module: "./mine.mjs",
      settings,
    };
    const sms = { providers: [mine, "null"], ...more };
    await writeFile(file, JSON.stringify({ sms }));
    return loadConfig({ file });
  };
  const first = await read({ id: "one" });
  const gateway = createSmsGateway(
    {
      http: { request: () => Promise.reject(new Error("not in this test")) },
      optOuts: new MemoryStore(),
      guard: new Guard(),
    },
    first,
  );
  addProviders(gateway, first.sms, { logger: silentLogger });
  let before = first;
  const send = async () => {
    const sent = await gateway.send(new OutgoingMessage("+420777123456", "Hi"));
    return [sent.provider, sent.msgid];
  };
  const change = async (settings: object, more?: object) => {
    const next = await read(settings, more);
    const parts = { logger: silentLogger, note: () => {} };
    prepareGateway(gateway, next.sms, before.sms, parts)();
    before = next;
    return await send();
  };
  assert.deepEqual(await send(), ["mine", "one"]);
  assert.deepEqual(await change({ id: "two" }), ["mine", "two"]);
  const router = "./router.mjs";
  assert.deepEqual(await change({ id: "two" }, { router }), ["null", "1"]);
  assert.deepEqual(await change({ id: "two" }), ["mine", "two"]);
  // What a program gave itself is no setting, and stays.
  gateway.recipientRouter = () => "null";
  assert.deepEqual(await change({ id: "three" }), ["null", "2"]);
});
