/** The commands that a scheduler calls, and the configuration behind them. */

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CarillonProcess } from "./harness/carillon-process.ts";
import { runCommand } from "./harness/command.ts";
import { createFolder } from "./harness/temporary-folder.ts";

test("batches are sent and deliveries checked from the command line, once that is on", async () => {
  await using folder = await createFolder();
  const file = join(folder.path, "carillon.json");
  const data = join(folder.path, "data");
  const write = (sms: object) => writeFile(file, JSON.stringify({ sms }));
  const run = (...args: string[]) => runCommand([...args, "--data", data]);
  await write({});
  await using _ = await CarillonProcess.start({
    data,
    args: ["--config", file],
  });

  const refused = await run("sms", "send-batch");
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /Batch sending is turned off for sms/);
  await write({ batch: { enabled: true } });
  assert.equal((await run("config", "reload")).code, 0);
  const sent = await run("sms", "send-batch", "-o", "table");
  assert.equal(sent.stdout, "sent messages: 0\nfailed messages: 0\n");
  const asJson = await run("sms", "send-batch", "--limit", "5");
  assert.deepEqual(JSON.parse(asJson.stdout), {
    sent: [],
    failed: [],
    pending: [],
  });
  const bad = await run("sms", "send-batch", "--limit", "0");
  assert.notEqual(bad.code, 0);
  assert.match(bad.stderr, /whole number from 1 to 10000/);

  const checked = await run("sms", "check-delivery", "-o", "table");
  assert.equal(
    checked.stdout,
    "asked about: 0\nwithout a report after 4320 minutes: 0\n",
  );
});
