/** Follows the guide on channels: its programs are taken from the page and run. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { type Channel, systemClock } from "@carillon/core";
import { openSqliteStore } from "@carillon/storage";
import { startTestServer } from "../test-support/test-server.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../..", import.meta.url));
let folder = "";

before(async () => {
  const page = await readFile(
    join(root, "docs/guides/write-a-channel.md"),
    "utf8",
  );
  // Inside the workspace, where the packages are found by their names.
  await mkdir(join(root, "tmp"), { recursive: true });
  folder = await mkdtemp(join(root, "tmp", "write-a-channel-"));
  const programs = [...page.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```/gms)];
  assert.equal(programs.length, page.match(/^```ts$/gm)?.length);
  for (const [, path = "", code = ""] of programs) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), code);
  }
});

after(() => rm(folder, { recursive: true, force: true }));

test("its channel keeps the contract, as its test says", async () => {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout } = await run(
    process.execPath,
    [
      "--conditions=source",
      "--disable-warning=ExperimentalWarning",
      "--test-reporter=tap",
      "--test",
      join(folder, "pager/channel.test.ts"),
    ],
    { cwd: root, env },
  );
  assert.match(stdout, /^# pass [1-9]/m);
  assert.match(stdout, /^# fail 0$/m);
});

test("its programs are right for the compiler", async () => {
  const config = {
    extends: "../../tsconfig.tests.json",
    compilerOptions: { typeRoots: ["../../node_modules/@types"] },
    include: ["pager/*.ts"],
  };
  const path = join(folder, "tsconfig.json");
  await writeFile(path, JSON.stringify(config));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const checked = run(process.execPath, [tsc, "-p", path]).then(
    () => "",
    (error: { stdout?: string }) => error.stdout ?? String(error),
  );
  assert.equal(await checked, "");
});

test("a server with its line delivers to a pager", async (t) => {
  const pages: string[] = [];
  const service = createServer((request, response) => {
    pages.push(request.url ?? "");
    response.end();
  });
  service.listen(0, "127.0.0.1");
  await once(service, "listening");
  t.after(() => service.close());
  const { port } = service.address() as AddressInfo;
  const { createPagerChannel } = (await import(
    pathToFileURL(join(folder, "pager/channel.ts")).href
  )) as { createPagerChannel(options: { url: string }): Channel };
  const channel = createPagerChannel({ url: `http://127.0.0.1:${port}` });
  await using store = await openSqliteStore({
    folder: join(folder, "data"),
    clock: systemClock,
  });
  await using server = await startTestServer({ channels: [channel], store });
  const { base, topicUrn, call } = server;
  await call("POST", `${base}/topics`, { name: "news" });
  const added = await call(
    "POST",
    `/api/v2/topics/${topicUrn("news")}/subscriptions`,
    { protocol: "pager", endpoint: "123456" },
  );
  assert.equal(added.status, 201);
  const paged = once(service, "request");
  await call("POST", `${base}/topics/${topicUrn("news")}/publish`, {
    message: "Disk is full",
  });
  await paged;
  assert.deepEqual(pages, ["/123456"]);
});
