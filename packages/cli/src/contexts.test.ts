import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  type Context,
  changeContexts,
  contextsPath,
  readContexts,
} from "./contexts.ts";

const context: Context = {
  url: "http://127.0.0.1:7070",
  accessKey: "AK",
  secretKey: "SK",
  projectId: "p",
  userName: "ann",
  ownsKey: false,
};

async function setUp(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "carillon-contexts-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const env = { XDG_CONFIG_HOME: folder };
  const add = (name: string) =>
    changeContexts(env, ({ contexts }) => ({
      current: name,
      contexts: { ...contexts, [name]: context },
    }));
  return { env, add, path: contextsPath(env) };
}

test("changes made at once are all kept", async (t) => {
  const { env, add, path } = await setUp(t);
  const names = Array.from({ length: 8 }, (_, n) => `c${n}`);
  await Promise.all(names.map(add));
  const { contexts } = await readContexts(env);
  assert.deepEqual(Object.keys(contexts).sort(), names);
  assert.deepEqual(await readdir(dirname(path)), ["contexts.json"]);
});

test("answers what there was, and goes on after a command that was killed", async (t) => {
  const { env, add, path } = await setUp(t);
  await add("first");
  await writeFile(`${path}.lock`, "");
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(`${path}.lock`, longAgo, longAgo);
  assert.deepEqual((await add("second")).contexts, { first: context });
  assert.equal((await readContexts(env)).current, "second");
});

test("a change that is refused leaves all as it was", async (t) => {
  const { env, add } = await setUp(t);
  await add("first");
  const refused = changeContexts(env, () => {
    throw new Error("no");
  });
  await assert.rejects(refused, /^Error: no$/);
  await add("second");
  const { contexts } = await readContexts(env);
  assert.deepEqual(Object.keys(contexts), ["first", "second"]);
});
