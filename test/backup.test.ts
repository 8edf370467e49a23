/** `carillon backup` and `restore` beside a real server that is under load. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createTopic, publish, publishPath } from "./harness/api.ts";
import { CarillonProcess } from "./harness/carillon-process.ts";
import { listMessages } from "./harness/ledger.ts";
import { startLoad } from "./harness/load.ts";
import {
  createFolder,
  type TemporaryFolder,
} from "./harness/temporary-folder.ts";
import { until, untilCounted } from "./harness/until.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

let folder: TemporaryFolder;
before(async () => {
  folder = await createFolder();
});
// Tests use it one after the other; the last one takes it away.

test("a server under load is backed up, killed and restored elsewhere: nothing that was accepted is missing", {
  timeout: 240_000,
}, async () => {
  const data = join(folder.path, "data");
  const file = join(folder.path, "it.backup");
  const elsewhere = join(folder.path, "elsewhere");
  await using server = await CarillonProcess.start({ data });
  await createTopic(server, "t");
  await using load = startLoad();
  const stream = { name: "load", path: publishPath("t"), body: {} };
  await load.call("start", server.url, [
    { ...stream, publishers: 8, padding: 2000 },
  ]);
  const counted = () => load.call("countAccepted");
  await untilCounted(counted, 500, "messages accepted before the backup");
  const begunAt = Date.now();
  const made = await run("backup", file, "--data", data);
  assert.equal(made.code, 0, made.stderr);
  // The load went on all the time.
  const during = (await load.call("report")).accepted;
  assert.ok(during.some(({ at }) => at > begunAt));
  await server.kill();
  await load.call("stop");
  const promised = during.filter(({ at }) => at < begunAt);
  assert.ok(promised.length >= 500);

  const restored = await run("restore", file, "--data", elsewhere);
  assert.equal(restored.code, 0, restored.stderr);
  const { rows, version } = JSON.parse(restored.stdout);
  assert.ok(rows.messages >= promised.length);
  assert.match(version, /^\d+\.\d+\.\d+/);
  await using again = await CarillonProcess.start({ data: elsewhere });
  const kept = new Set((await listMessages(again)).map(({ id }) => id));
  const lost = promised.filter(({ messageId }) => !kept.has(messageId));
  assert.deepEqual(lost, []);
  await publish(again, "t", "and it goes on");
});

test("kill -9 of a backup or a restore at any moment does no harm", {
  timeout: 240_000,
}, async () => {
  const data = join(folder.path, "data");
  const file = join(folder.path, "killed.backup");
  const target = join(folder.path, "killed");
  const appears =
    (path: string, has: (names: readonly string[]) => boolean) => async () =>
      has(await readdir(path).catch((): string[] => []));
  const isPart = (name: string) => name.endsWith(".partial");

  // At the first sight of its folder, of the copy in it, of the packed file.
  for (const wanted of ["", "carillon.db", "archive"]) {
    const backup = start("backup", file, "--data", data);
    await killOnce(backup, async () => {
      const part = (await readdir(folder.path)).find(isPart);
      if (part === undefined) return false;
      const names = await readdir(join(folder.path, part)).catch(
        (): string[] => [],
      );
      return wanted === "" || names.includes(wanted);
    });
    await assert.rejects(stat(file), { code: "ENOENT" });
  }
  assert.equal((await run("backup", file, "--data", data)).code, 0);
  const left = await readdir(folder.path);
  assert.deepEqual(left.filter(isPart), [], "the next one tidies up");

  for (const wanted of ["restore.partial", "lock.db"]) {
    const restore = start("restore", file, "--data", target);
    await killOnce(
      restore,
      appears(target, (names) => names.includes(wanted)),
    );
    const names = await readdir(target);
    assert.ok(!names.includes("carillon.db"), names.join());
  }
  // As if it had never been: without --force.
  const whole = await run("restore", file, "--data", target);
  assert.equal(whole.code, 0, whole.stderr);
  await using server = await CarillonProcess.start({ data: target });
  await publish(server, "t", "it works");
});

test("a full disk ends both with one sentence, and leaves nothing", async () => {
  const data = join(folder.path, "data");
  const out = join(folder.path, "full");
  await mkdir(out);
  const backup = await runLimited(
    100,
    "backup",
    join(out, "b"),
    "--data",
    data,
  );
  assert.equal(backup.code, 1);
  assert.match(backup.stderr, /^The backup of .* was not written .*\n$/);
  const restore = await runLimited(
    100,
    ...["restore", join(folder.path, "it.backup"), "--data", join(out, "data")],
  );
  assert.equal(restore.code, 1);
  assert.match(restore.stderr, /^The disk of .* has no room .*\n$/);
  assert.deepEqual(await readdir(out), []);
});

test("Ctrl-C ends a backup with 130, and leaves nothing", async () => {
  const out = join(folder.path, "out");
  await mkdir(out);
  const backup = start(
    "backup",
    join(out, "b"),
    "--data",
    join(folder.path, "data"),
  );
  const stderr = text(backup.stderr ?? (async function* () {})());
  const ended = once(backup, "exit");
  await until(
    async () => (await readdir(out)).length > 0,
    "the backup begins",
    30_000,
    1,
  );
  backup.kill("SIGINT");
  const [code] = await ended;
  assert.equal(code, 130, await stderr);
  assert.equal(await stderr, "Interrupted.\n");
  assert.deepEqual(await readdir(out), []);
  await folder[Symbol.asyncDispose]();
});

function start(...args: readonly string[]): ChildProcess {
  return startLimited("unlimited", args);
}

/** @param kib largest file that it may write: a disk that fills up */
function startLimited(
  kib: number | "unlimited",
  args: readonly string[],
): ChildProcess {
  return spawn(
    "bash",
    [
      "-c",
      `trap "" XFSZ; ulimit -f ${kib}; exec "$0" "$@"`,
      process.execPath,
      "--conditions=source",
      "--disable-warning=ExperimentalWarning",
      "packages/cli/src/main.ts",
      ...args,
    ],
    { cwd: root, stdio: ["ignore", "pipe", "pipe"] },
  );
}

function run(...args: readonly string[]) {
  return outputOf(start(...args));
}

function runLimited(kib: number, ...args: readonly string[]) {
  return outputOf(startLimited(kib, args));
}

async function outputOf(child: ChildProcess) {
  const { stdout, stderr } = child;
  if (!stdout || !stderr) throw new Error("it is piped");
  const [out, err, [code]] = await Promise.all([
    text(stdout),
    text(stderr),
    once(child, "close"),
  ]);
  return { code, stdout: out, stderr: err };
}

/** Kills the process as soon as the condition holds, before it ends. */
async function killOnce(
  child: ChildProcess,
  condition: () => Promise<boolean>,
): Promise<void> {
  const ended = once(child, "exit");
  await until(condition, "the moment to kill it", 30_000, 1);
  child.kill("SIGKILL");
  const [, signal] = await ended;
  assert.equal(signal, "SIGKILL", "it had ended before");
}
