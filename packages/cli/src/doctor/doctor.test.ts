import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { checkDisk } from "./disk.ts";
import { checkHolder, findHolder } from "./holder.ts";
import { checkMailServer } from "./mail-server.ts";
import { checkPermissions } from "./permissions.ts";
import { checkPort } from "./port.ts";
import { findRunningServer } from "./running-server.ts";
import { checkRuntime } from "./runtime.ts";

test("an older Node.js fails", () => {
  for (const version of ["24.9.0", "24.21.0", "25.0.0", "26.1.0"]) {
    assert.equal(checkRuntime(version).result, "ok", version);
  }
  for (const version of ["24.8.9", "24.0.0", "22.20.1", "4.9.0"]) {
    const { result, advice } = checkRuntime(version);
    assert.equal(result, "failed", version);
    assert.equal(advice, "Install Node.js 24.9 or newer.");
  }
});

test("a folder that is there, or can be made, is fine and left clean", async (t) => {
  const folder = await temporaryFolder(t);
  const [usable, space, sync] = await checkDisk(join(folder, "data"));
  assert.equal(usable?.result, "ok");
  assert.match(usable?.found ?? "", /will be made/);
  assert.match(space?.found ?? "", /MiB free/);
  assert.match(sync?.found ?? "", /median/);
  assert.deepEqual(await readdir(folder), []);
});

test("a file in the folder's place fails", async (t) => {
  const path = join(await temporaryFolder(t), "file");
  await writeFile(path, "");
  const [usable, ...others] = await checkDisk(path);
  assert.equal(usable?.result, "failed");
  assert.match(usable?.found ?? "", /is not a folder/);
  assert.equal(others.length, 1);
});

test("a folder without the right to write fails", {
  skip: process.getuid?.() === 0 && "root may write everywhere",
}, async (t) => {
  const folder = await temporaryFolder(t);
  await chmod(folder, 0o500);
  const [usable] = await checkDisk(folder);
  assert.match(usable?.found ?? "", /EACCES/);
});

test("a data folder that others may read is a warning", {
  skip: process.platform === "win32" && "modes say nothing there",
}, async (t) => {
  const folder = await temporaryFolder(t);
  assert.equal(checkPermissions(join(folder, "none")).result, "skipped");
  assert.equal(checkPermissions(folder).result, "ok");
  const database = join(folder, "carillon.db");
  await writeFile(database, "");
  await chmod(database, 0o640);
  const finding = checkPermissions(folder);
  assert.equal(finding.result, "warning");
  assert.equal(finding.found, `open to other users: ${database} (0640)`);
  assert.match(finding.advice ?? "", /chmod 700/);
});

test("the process that uses the folder is named, and whether it answers", async (t) => {
  const folder = await temporaryFolder(t);
  const check = async (url?: string) =>
    checkHolder(await findHolder(folder), url);
  assert.equal((await check()).found, "no process");
  const path = join(folder, "carillon.pid");
  const holder = { command: "carillon serve", startedAt: "now" };
  await writeFile(path, JSON.stringify({ ...holder, pid: process.pid }));
  const serving = await check("http://127.0.0.1:1");
  assert.equal(serving.result, "ok");
  assert.equal(
    serving.found,
    `process ${process.pid} (carillon serve, since now)`,
  );
  const silent = await check();
  assert.equal(silent.result, "warning");
  assert.match(silent.found, /does not answer/);
  // No process has the largest number.
  await writeFile(path, JSON.stringify({ ...holder, pid: 2 ** 22 + 1 }));
  const ended = await check();
  assert.equal(ended.result, "ok");
  assert.match(ended.found, /^no process; .* was killed/);
});

test("a port is free, taken by others, or by the server itself", async (t) => {
  const port = await listen(t, createServer());
  const taken = await checkPort("127.0.0.1", port, undefined);
  assert.equal(taken.result, "failed");
  assert.match(taken.found, /in use by another program/);
  const own = await checkPort("127.0.0.1", port, `http://127.0.0.1:${port}`);
  assert.equal(own.result, "ok");
  assert.equal((await checkPort("127.0.0.1", 0, undefined)).result, "ok");
  const nowhere = await checkPort("192.0.2.1", 7070, undefined);
  assert.equal(nowhere.result, "failed");
});

test("a mail server greets, is silent, or is none", async (t) => {
  const none = await checkMailServer({ sandbox: false });
  assert.equal(none.result, "warning");
  assert.match(none.found, /none is configured/);
  assert.equal((await checkMailServer({ sandbox: true })).result, "ok");
  const debug = await checkMailServer({
    sandbox: false,
    email: { backend: "debug" },
  });
  assert.match(debug.found, /mails are not sent/);
  const greeting = (text: string) =>
    listen(
      t,
      createServer((socket) => socket.write(text)),
    );
  const check = async (text: string) =>
    await checkMailServer(
      { smtpUrl: `smtp://127.0.0.1:${await greeting(text)}`, sandbox: false },
      { timeoutMs: 200 },
    );
  assert.equal((await check("220 hello\r\n")).result, "ok");
  assert.match((await check("554 go away\r\n")).found, /says "554 go away"/);
  assert.match((await check("")).found, /no answer in 200 ms/);
  const closed = createServer();
  const port = await listen(t, closed);
  closed.close();
  assert.match(
    (
      await checkMailServer({
        smtpUrl: `smtp://127.0.0.1:${port}`,
        sandbox: false,
      })
    ).found,
    /ECONNREFUSED/,
  );
});

test("a running server is well, ill, silent or another's; its clock is compared", async (t) => {
  const serve = async ({
    status = 200,
    body = '{"status":"ok","instance":"ab"}',
    date = "",
  } = {}) => {
    const server = createHttpServer(({ url }, response) => {
      if (date) response.setHeader("date", date);
      response.statusCode = url === "/readyz" ? status : 200;
      response.end(body);
    });
    return `http://127.0.0.1:${await listen(t, server)}`;
  };
  const find = async (place: string | undefined) =>
    await findRunningServer(place === undefined ? [] : [place]);
  const url = await serve();
  const well = await find(url);
  assert.deepEqual(
    well.findings.map(({ result }) => result),
    ["ok", "ok"],
  );
  assert.equal(well.url, url);
  assert.equal(well.instance, "ab");
  const full = '{"reason":"STORAGE_FULL","message":"no room"}';
  const ill = await find(await serve({ status: 503, body: full }));
  assert.equal(ill.findings[0]?.result, "failed");
  assert.match(ill.findings[0]?.found ?? "", /STORAGE_FULL: no room/);
  const past = new Date(Date.now() - 3_600_000).toUTCString();
  const late = await find(await serve({ date: past }));
  assert.equal(late.findings[1]?.result, "failed");
  const page = await find(await serve({ body: "<html>" }));
  assert.equal(page.findings[0]?.result, "failed");
  assert.equal(page.url, undefined);
  assert.equal((await find(undefined)).findings[0]?.result, "skipped");
  const gone = createServer();
  const port = await listen(t, gone);
  gone.close();
  const absent = `http://127.0.0.1:${port}`;
  assert.equal((await find(absent)).findings[0]?.result, "skipped");
  // The second place counts when the first is left.
  assert.equal((await findRunningServer([absent, url])).url, url);
});

test("an abort ends the checks, and leaves no file behind", async (t) => {
  const closed = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const port = await listen(
    t,
    createServer((socket) => {
      socket.on("error", () => {});
      socket.resume().on("close", () => closed.resolve());
      reached.resolve();
    }),
  );
  const stop = new AbortController();
  const { signal } = stop;
  const reason = new Error("stop");
  const isReason = (error: unknown) => error === reason;
  const options = { signal, timeoutMs: 60_000 };
  const checking = [
    checkMailServer(
      { smtpUrl: `smtp://127.0.0.1:${port}`, sandbox: false },
      options,
    ),
    findRunningServer([`http://127.0.0.1:${port}`], options),
  ];
  await reached.promise;
  stop.abort(reason);
  for (const check of checking) await assert.rejects(check, isReason);
  await closed.promise;
  const folder = await temporaryFolder(t);
  await assert.rejects(checkDisk(folder, signal), isReason);
  assert.deepEqual(await readdir(folder), []);
});

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  server.unref();
  t.after(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "carillon-doctor-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
