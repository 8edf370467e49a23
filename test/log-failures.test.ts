/** The log never decides over life: it cannot be written, and all goes on. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createTopic,
  publish,
  request,
  sendSms,
  subscribe,
} from "./harness/api.ts";
import { CarillonProcess } from "./harness/carillon-process.ts";
import { createFolder } from "./harness/temporary-folder.ts";
import { until, within } from "./harness/until.ts";
import { startWebhookSink } from "./harness/webhook-sink-process.ts";

/** The provider `log` writes a line for each text. */
const env = { CARILLON_LOG_LEVEL: "debug", CARILLON_SMS_PROVIDERS: "log" };
const phone = "+15550100001";

test("a server whose log cannot be written goes on serving", async () => {
  await using folder = await createFolder();
  await using server = await CarillonProcess.start({
    data: folder.path,
    env,
    logFile: "/dev/full",
  });
  await assertServes(server);
});

test("a server whose log nobody reads any more goes on serving", async () => {
  await using folder = await createFolder();
  await using server = await CarillonProcess.start({ data: folder.path, env });
  const before = server.stderr;
  await sendSms(server, phone, "one line");
  await until(() => server.stderr !== before, "a text is logged");
  server.closeLog();
  await assertServes(server);
});

/** It delivers, logs what fails, answers, and stops as it should. */
async function assertServes(server: CarillonProcess): Promise<void> {
  await using hooks = await startWebhookSink();
  await createTopic(server, "t");
  for (const path of ["/ok/hook", "/fail/hook"]) {
    const endpoint = `http://127.0.0.1:${hooks.port}${path}`;
    await subscribe(server, "t", "http", endpoint);
  }
  await until(
    async () => (await hooks.call("countConfirmed")) === 2,
    "the endpoints are confirmed",
    10_000,
  );
  const ids: string[] = [];
  for (let i = 0; i < 50; i++) {
    ids.push(await publish(server, "t", `message ${i}`));
    await sendSms(server, phone, `text ${i}`);
  }
  await until(
    async () => (await hooks.call("findAbsent", ids)).length === 0,
    "all messages arrive",
    10_000,
  );
  assert.equal((await request(server, "GET", "/healthz")).status, 200);
  assert.equal(await within(server.stop(), "it stops", 10_000), 0);
}
