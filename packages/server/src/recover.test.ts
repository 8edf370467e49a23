import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { silentLogger } from "@carillon/core";
import { openSqliteStore, type SqliteStore } from "@carillon/storage";
import { loadConfig } from "./config.ts";
import { readCredentialsFile } from "./credentials-file.ts";
import { recoverOperator } from "./recover.ts";
import { serve } from "./serve.ts";

const logger = silentLogger;

async function setUp(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "carillon-recover-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const data = join(folder, "data");
  const config = loadConfig({ flags: { data, port: 0 } });
  const first = await serve(config);
  const { credentials } = first;
  await first.close();
  assert.ok(credentials);
  return { data, config, credentials };
}

async function change(
  folder: string,
  run: (store: SqliteStore) => Promise<void>,
): Promise<void> {
  await using store = await openSqliteStore({ folder });
  await run(store);
}

test("keeps the password in the file only while it is the user's", async (t) => {
  const { data, credentials } = await setUp(t);
  const recover = () =>
    recoverOperator({ folder: data, password: false, logger });
  await recover();
  assert.deepEqual((await readCredentialsFile(data))?.user, credentials.user);
  await change(data, async (store) => {
    const [admin] = await store.listUsers();
    assert.ok(admin);
    await store.putUser({ ...admin, passwordHash: "another" });
  });
  await recover();
  const { name } = credentials.user;
  assert.deepEqual((await readCredentialsFile(data))?.user, { name });
});

test("what was made is answered though the file cannot be written", async (t) => {
  const { data, credentials } = await setUp(t);
  const path = join(data, "credentials.json");
  await rm(path);
  await mkdir(path);
  const made = await recoverOperator({ folder: data, password: true, logger });
  assert.match(made.notKept ?? "", /EISDIR/);
  assert.notEqual(made.accessKey, credentials.accessKey);
  assert.notEqual(made.user.password, undefined);
});

test("makes a key that works for an operator of whom nothing is left but the name", async (t) => {
  const { data, config, credentials } = await setUp(t);
  await change(data, async (store) => {
    const [domain] = await store.listDomains();
    const [project] = await store.listProjects();
    const [admin] = await store.listUsers();
    assert.ok(domain && project && admin);
    await store.deleteAccessKey(credentials.accessKey);
    await store.putDomain({ ...domain, disabled: true });
    await store.putProject({ ...project, disabled: true });
    await store.putUser({ ...admin, role: "member", disabled: true });
  });
  const made = await recoverOperator({ folder: data, password: true, logger });
  assert.equal(made.project.id, credentials.project.id);
  const file = await readCredentialsFile(data);
  const { user, ...rest } = credentials;
  assert.deepEqual(file, { ...rest, ...made });
  assert.equal(made.user.name, user.name);
  assert.notEqual(made.user.password, user.password);

  await using carillon = await serve(config);
  assert.equal(carillon.credentials, undefined);
  const pair = btoa(`${made.accessKey}:${made.secretKey}`);
  const response = await fetch(`${carillon.url}/api/v2/audit`, {
    headers: { authorization: `Basic ${pair}` },
  });
  assert.equal(response.status, 200);
  const { entries } = (await response.json()) as {
    entries: Record<string, unknown>[];
  };
  assert.deepEqual(
    entries.map(({ action, userName, details }) => ({
      action,
      userName,
      details,
    })),
    [
      {
        action: "operator.recover",
        userName: "admin",
        details: { accessKey: made.accessKey },
      },
    ],
  );
  const login = await fetch(`${carillon.url}/v3/auth/tokens`, {
    method: "POST",
    body: JSON.stringify({
      auth: {
        identity: {
          methods: ["password"],
          password: {
            user: { ...made.user, domain: { name: made.domain } },
          },
        },
      },
    }),
  });
  assert.equal(login.status, 201);
});

test("leaves the keys and the password that there are", async (t) => {
  const { data, credentials } = await setUp(t);
  const made = await recoverOperator({ folder: data, password: false, logger });
  assert.equal(made.user.password, undefined);
  const { user } = (await readCredentialsFile(data)) ?? {};
  assert.deepEqual(user, credentials.user);
  await change(data, async (store) => {
    const keys = await store.listAccessKeys();
    assert.deepEqual(
      keys.map(({ accessKey }) => accessKey).sort(),
      [credentials.accessKey, made.accessKey].sort(),
    );
  });
});

test("makes the file anew that the owner deleted", async (t) => {
  const { data } = await setUp(t);
  await rm(join(data, "credentials.json"));
  const made = await recoverOperator({ folder: data, password: false, logger });
  const file = await readCredentialsFile(data);
  assert.equal(file?.secretKey, made.secretKey);
  assert.deepEqual(file?.user, { name: "admin" });
});

test("works with a key that lies elsewhere, and changes nothing with another", async (t) => {
  const { data, config, credentials } = await setUp(t);
  const secretKeyFile = join(data, "..", "shared.key");
  await rename(join(data, "secret.key"), secretKeyFile);
  const options = { folder: data, password: true, logger };
  await assert.rejects(recoverOperator(options), {
    message: /secret\.key is missing/,
  });
  const other = join(data, "..", "other.key");
  await writeFile(other, randomBytes(32));
  await assert.rejects(recoverOperator({ ...options, secretKeyFile: other }), {
    message: /other\.key is not the key of this store/,
  });
  const kept = await readCredentialsFile(data);
  assert.equal(kept?.accessKey, credentials.accessKey);
  const made = await recoverOperator({ ...options, secretKeyFile });
  assert.notEqual(made.accessKey, credentials.accessKey);
  assert.ok(!(await readdir(data)).includes("secret.key"));
  await using carillon = await serve({ ...config, secretKeyFile });
  const { status } = await fetch(`${carillon.url}/api/v2/keys`, {
    headers: {
      authorization: `Basic ${btoa(`${made.accessKey}:${made.secretKey}`)}`,
    },
  });
  assert.equal(status, 200);
});

test("is refused while a server runs, and where there is none", async (t) => {
  const { data, config, credentials } = await setUp(t);
  const options = { password: false, logger };
  {
    await using _ = await serve(config);
    await assert.rejects(recoverOperator({ folder: data, ...options }), {
      code: "STORAGE_IN_USE",
    });
  }
  const file = await readCredentialsFile(data);
  assert.equal(file?.accessKey, credentials.accessKey);
  const empty = join(data, "..", "empty");
  await assert.rejects(recoverOperator({ folder: empty, ...options }), {
    code: "STORAGE_UNUSABLE",
    message: /There is no data of Carillon in .*--data/,
  });
  assert.deepEqual(await readdir(join(data, "..")), ["data"]);
});
