/** Follows the guide on backends. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { CarillonProcess } from "./harness/carillon-process.ts";
import { findFreePort } from "./harness/free-port.ts";
import { followCommands } from "./harness/page.ts";
import { createFolder } from "./harness/temporary-folder.ts";

const repository = fileURLToPath(new URL("..", import.meta.url));

test("the guide on backends does what it says", { timeout: 120_000 }, (t) =>
  followWithServer(t, "docs/guides/write-a-backend.md"),
);

/** The server is started where the page says so. */
async function followWithServer(t: TestContext, path: string): Promise<void> {
  const port = String(await findFreePort());
  const page = (await readFile(join(repository, path), "utf8"))
    // Of the service that the backend talks to.
    .replaceAll("7090", port);
  const start = /^```sh\n(\w+)=(\S+) npx carillon serve --config (\S+)\n```$/m;
  const [block, variable = "", value = "", file = ""] = start.exec(page) ?? [];
  assert.ok(block, "the page has lost its start");
  const [before = "", behind = ""] = page.split(block);
  await using folder = await createFolder();
  await followCommands(t, before, { folder: folder.path });
  await using server = await CarillonProcess.start({
    data: join(folder.path, "carillon-data"),
    args: ["--config", join(folder.path, file)],
    // The harness lets deliveries reach this machine; a page has to say so.
    env: { CARILLON_ALLOW_TARGETS: "", [variable]: value },
  });
  const commands = behind.replaceAll("http://127.0.0.1:7070", server.url);
  await followCommands(t, commands, { folder: folder.path });
}
