import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createWriteStream, existsSync, writeFileSync } from "node:fs";
import {
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, type TestContext, test } from "node:test";
import { loadConfig } from "../config.ts";
import { serve } from "../serve.ts";
import { createManifest, writeBackupFile } from "./backup-file.ts";
import { createBackup } from "./create-backup.ts";
import { restoreBackup } from "./restore-backup.ts";
import type { TarEntry } from "./tar.ts";

/** A data folder that a server has closed, and a backup of it with logs. */
let root: string;
let data: string;
let file: string;

before(async () => {
  root = await mkdtemp(join(tmpdir(), "carillon-backup-"));
  data = join(root, "data");
  file = join(root, "it.backup");
  const carillon = await serve(loadConfig({ flags: { data, port: 0 } }));
  // Its signing key is made in the background, and kept.
  await carillon.close();
  await mkdir(join(data, "logs"), { recursive: true });
  await writeFile(join(data, "logs", "0a-1.jsonl"), '{"n":1}\n{"n":2}\n{"cut');
  await createBackup({ folder: data, file, logs: true });
});

after(() => rm(root, { recursive: true, force: true }));

test("a backup restores every file, for the owner alone", async (t) => {
  const folder = join(await temporaryFolder(t), "new", "data");
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const steps = new Set<string>();
  const restored = await restoreBackup({
    file,
    folder,
    onProgress: ({ step, done, total }) => {
      steps.add(step);
      assert.ok(done <= total);
    },
  });
  assert.deepEqual([...steps], ["unpacking", "checking"]);
  assert.equal(restored.folder, folder);
  assert.equal(restored.rows.users, 1);
  assert.equal(restored.keptIn, undefined);
  const names = ["credentials.json", "secret.key"];
  for (const name of names) {
    assert.deepEqual(
      await readFile(join(folder, name)),
      await readFile(join(data, name)),
    );
  }
  for (const name of [...names, "carillon.db", "logs/0a-1.jsonl"]) {
    assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600, name);
  }
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  // A line that was being written is left out.
  assert.equal(
    await readFile(join(folder, "logs/0a-1.jsonl"), "utf8"),
    '{"n":1}\n{"n":2}\n',
  );
  const carillon = await serve(
    loadConfig({ flags: { data: folder, port: 0 } }),
  );
  assert.equal(carillon.credentials, undefined);
  await carillon.close();
});

test("logs are left out unless they are asked for", async (t) => {
  const folder = await temporaryFolder(t);
  const small = join(folder, "small");
  await createBackup({ folder: data, file: small });
  const restored = join(folder, "restored");
  await restoreBackup({ file: small, folder: restored });
  assert.ok(!existsSync(join(restored, "logs")));
});

test("a backup that is cut off or altered is refused, and nothing is made", async (t) => {
  const folder = await temporaryFolder(t);
  const whole = await readFile(file);
  const intact = join(folder, "intact");
  await restoreBackup({ file, folder: intact });
  const database = await readFile(join(intact, "carillon.db"));
  const altered = join(folder, "altered");
  const target = join(folder, "data");
  const refused = async (bytes: Uint8Array, what: string) => {
    await writeFile(altered, bytes);
    await assert.rejects(
      restoreBackup({ file: altered, folder: target }),
      { name: "BackupError", problem: /BACKUP_(DAMAGED|FOREIGN)/ },
      what,
    );
    assert.ok(!existsSync(target), what);
  };
  for (const share of [0, 0.001, 0.3, 0.9]) {
    const length = Math.floor(whole.length * share);
    await refused(whole.subarray(0, length), `${length} bytes`);
  }
  await refused(whole.subarray(0, -1), "all but one byte");
  // Behind the head of gzip, in which a time and the like have no meaning.
  const step = Math.floor(whole.length / 40);
  let refusals = 0;
  for (let at = 10; at < whole.length; at += step) {
    const flipped = Buffer.from(whole);
    flipped[at] = (flipped[at] ?? 0) ^ 0x10;
    await writeFile(altered, flipped);
    const restored = await restoreBackup({
      file: altered,
      folder: target,
    }).catch((error: Error) => error);
    if (restored instanceof Error) {
      assert.equal(restored.name, "BackupError");
      assert.ok(!existsSync(target));
      refusals++;
    } else {
      // Among equal bytes a packed file may name others: the content is whole.
      assert.ok(
        (await readFile(join(target, "carillon.db"))).equals(database),
        `byte ${at}`,
      );
      await rm(target, { recursive: true });
    }
  }
  assert.ok(refusals > 30);
});

test("files of others, and backups of newer versions, are refused in one sentence", async (t) => {
  const folder = await temporaryFolder(t);
  const target = join(folder, "data");
  const other = join(folder, "other");
  const messageOf = async (options = {}) => {
    const failure = await restoreBackup({
      file: other,
      folder: target,
      ...options,
    }).catch((error: Error) => error);
    assert.ok(failure instanceof Error);
    assert.ok(!existsSync(target));
    return failure.message;
  };
  assert.equal(await messageOf(), `There is no file ${other}.`);
  await writeFile(other, "hello");
  assert.equal(await messageOf(), `${other} is no backup of Carillon.`);
  await writeFile(other, await readFile(join(data, "carillon.db")));
  assert.equal(await messageOf(), `${other} is no backup of Carillon.`);
  const ours = createManifest({ schemaVersion: 1, rows: {} }, new Date(0));
  await writeBackup(other, { ...ours, carillonBackup: 2, version: "9.0.0" });
  assert.match(
    await messageOf(),
    /was made by Carillon 9\.0\.0, which is newer than this version \S+ \(format 2 instead of 1\): restore it with that version\.$/,
  );
  await writeBackup(other, { ...ours, schemaVersion: 9999 });
  assert.match(await messageOf(), /\(schema 9999 instead of \d+\)/);
  await writeBackup(other, ours);
  assert.match(await messageOf(), /is damaged \(it has no database\)/);
  // Whole by its sums, and yet not what was counted.
  const later = join(folder, "later.db");
  await copyFile(join(data, "carillon.db"), later);
  {
    using database = new DatabaseSync(later);
    database.exec("UPDATE migrations SET version = 7");
  }
  await writeBackup(other, ours, [
    ["carillon.db", await readFile(later)],
    ["secret.key", await readFile(join(data, "secret.key"))],
  ]);
  assert.match(await messageOf(), /is damaged \(its schema is 7\)/);
  await writeBackup(other, ours, [["../evil", Buffer.from("x")]]);
  assert.match(await messageOf(), /is damaged \(\.\.\/evil does not belong/);
});

test("a folder that is not empty or in use stays as it is", async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, "letter"), "mine");
  await assert.rejects(restoreBackup({ file, folder }), {
    problem: "TARGET_EXISTS",
    message: /is not empty \(letter\)/,
  });
  assert.deepEqual(await readdir(folder), ["letter"]);
  const used = join(folder, "used");
  await using carillon = await serve(
    loadConfig({ flags: { data: used, port: 0 } }),
  );
  const before = await readdir(used);
  await assert.rejects(restoreBackup({ file, folder: used, force: true }), {
    code: "STORAGE_IN_USE",
  });
  assert.deepEqual(await readdir(used), before);
  assert.ok(carillon.url);
});

test("with force what was there is kept aside, and other files stay", async (t) => {
  const folder = await temporaryFolder(t);
  await cp(data, folder, { recursive: true });
  await writeFile(join(folder, "carillon.db"), "damaged");
  await writeFile(join(folder, "letter"), "mine");
  const { keptIn = "" } = await restoreBackup({ file, folder, force: true });
  assert.ok(keptIn.startsWith(join(folder, "before-restore-")));
  assert.equal(await readFile(join(keptIn, "carillon.db"), "utf8"), "damaged");
  assert.equal(await readFile(join(folder, "letter"), "utf8"), "mine");
  await (await serve(loadConfig({ flags: { data: folder, port: 0 } }))).close();
});

test("a restore that broke off while it moved is mended by the next", async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, "restore.moving"), "");
  await cp(join(data, "secret.key"), join(folder, "secret.key"));
  await mkdir(join(folder, "restore.partial"));
  const config = loadConfig({ flags: { data: folder, port: 0 } });
  await assert.rejects(serve(config), { code: "STORAGE_UNUSABLE" });
  await restoreBackup({ file, folder, force: true });
  await (await serve(config)).close();
});

test("a restore that broke off while it moved says so, whatever came meanwhile", async (t) => {
  const folder = await temporaryFolder(t);
  const stop = new AbortController();
  const abortWhileMoving = () => {
    if (existsSync(join(folder, "restore.moving"))) stop.abort();
    else setImmediate(abortWhileMoving);
  };
  const restoring = restoreBackup({
    file,
    folder,
    signal: stop.signal,
    onProgress: ({ step, done }) => {
      if (step !== "checking" || done !== 1) return;
      // Its folder cannot be removed then.
      writeFileSync(join(folder, "restore.partial", "other"), "");
      abortWhileMoving();
    },
  });
  await assert.rejects(restoring, {
    problem: "TARGET_UNUSABLE",
    message: /broke off while files were moved .* again with --force/,
  });
  assert.ok(stop.signal.aborted);
});

test("an abort at any step leaves nothing", async (t) => {
  const folder = await temporaryFolder(t);
  const reason = new Error("stop");
  const stopAt = (step: string) => {
    const stop = new AbortController();
    return {
      signal: stop.signal,
      onProgress: (progress: { step: string }) => {
        if (progress.step === step) stop.abort(reason);
      },
    };
  };
  const isReason = (error: unknown) => error === reason;
  for (const step of ["checking", "packing", "verifying"]) {
    const target = join(folder, "new.backup");
    await assert.rejects(
      createBackup({ folder: data, file: target, ...stopAt(step) }),
      isReason,
      step,
    );
    assert.deepEqual(await readdir(folder), [], step);
  }
  for (const step of ["unpacking", "checking"]) {
    const target = join(folder, "a", "b");
    await assert.rejects(
      restoreBackup({ file, folder: target, ...stopAt(step) }),
      isReason,
      step,
    );
    assert.deepEqual(await readdir(folder), [], step);
  }
});

test("a backup is refused where it would be lost or replace something", async (t) => {
  const folder = await temporaryFolder(t);
  const make = (target: string, options = {}) =>
    createBackup({ folder: data, file: target, ...options });
  await assert.rejects(make(join(data, "inside")), {
    message: /lies in the data folder/,
  });
  await assert.rejects(make(join(folder, "no", "where")), {
    message: /is not there: make it/,
  });
  const target = join(folder, "taken");
  await writeFile(target, "mine");
  await assert.rejects(make(target), { problem: "TARGET_EXISTS" });
  assert.equal(await readFile(target, "utf8"), "mine");
  // Of a process that has ended: there is no such number.
  await mkdir(join(dirname(target), `.carillon-backup-${2 ** 22 + 1}.partial`));
  await make(target, { force: true });
  assert.deepEqual(await readdir(folder), ["taken"]);
  await assert.rejects(
    createBackup({ folder, file: join(tmpdir(), "never") }),
    { problem: "NO_DATA" },
  );
});

test("data that are damaged, or lie beside another's key, are not backed up", async (t) => {
  const folder = await temporaryFolder(t);
  const target = join(folder, "out", "it.backup");
  await mkdir(join(folder, "out"));
  const broken = join(folder, "broken");
  await cp(data, broken, { recursive: true });
  await writeFile(join(broken, "secret.key"), "k".repeat(32));
  const make = () => createBackup({ folder: broken, file: target });
  await assert.rejects(make(), { message: /is not the key of the database/ });
  await rm(join(broken, "secret.key"));
  await assert.rejects(make(), { message: /secret\.key cannot be read/ });
  await cp(join(data, "secret.key"), join(broken, "secret.key"));
  const database = await readFile(join(broken, "carillon.db"));
  database.fill(0xff, 8192, 20_000);
  await writeFile(join(broken, "carillon.db"), database);
  await assert.rejects(make(), {
    problem: "DATA_DAMAGED",
    message: /^The database in .* is damaged/,
  });
  assert.deepEqual(await readdir(join(folder, "out")), []);
});

test("a key that lies elsewhere is taken along, and restored into the folder", async (t) => {
  const folder = await temporaryFolder(t);
  const shared = join(folder, "data");
  await cp(data, shared, { recursive: true });
  const secretKeyFile = join(folder, "shared.key");
  await rename(join(shared, "secret.key"), secretKeyFile);
  const target = join(folder, "it.backup");
  const make = (keyFile?: string) =>
    createBackup({ folder: shared, file: target, secretKeyFile: keyFile });
  await assert.rejects(make(), { message: /name it with --secret-key-file/ });
  const other = join(folder, "other.key");
  await writeFile(other, randomBytes(32));
  await assert.rejects(make(other), {
    message: /other\.key is not the key of the database in/,
  });
  await make(secretKeyFile);
  const restored = join(folder, "restored");
  await restoreBackup({ file: target, folder: restored });
  assert.deepEqual(
    await readFile(join(restored, "secret.key")),
    await readFile(secretKeyFile),
  );
  // With another key than the backup's it does not start, and says why.
  const flags = { data: restored, port: 0, secretKeyFile: other };
  await assert.rejects(serve(loadConfig({ flags })), {
    message: /other\.key is not the key of this store, but .*secret\.key is/,
  });
  const right = { ...flags, secretKeyFile };
  await (await serve(loadConfig({ flags: right }))).close();
});

async function writeBackup(
  path: string,
  manifest: Parameters<typeof writeBackupFile>[1],
  files: readonly (readonly [string, Buffer])[] = [],
): Promise<void> {
  const entries = (async function* (): AsyncGenerator<TarEntry, void> {
    for (const [name, bytes] of files) {
      const content = (async function* () {
        yield bytes;
      })();
      yield { name, bytes: bytes.length, content };
    }
  })();
  await writeBackupFile(createWriteStream(path), manifest, entries);
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "carillon-backup-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
