import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CommandFailure } from "./command-failure.ts";
import { findConnection } from "./connection.ts";
import { type Context, writeContexts } from "./contexts.ts";

const file = {
  url: "http://127.0.0.1:7070",
  region: "local",
  project: { id: "0f3c5d1e2a4b46788899aabbccddeeff", name: "default" },
  accessKey: "AK",
  secretKey: "SK",
};

const keys = {
  url: file.url,
  accessKey: "AK",
  secretKey: "SK",
  projectId: file.project.id,
};

/** What a data folder gives. */
function own(data: string, because = "--data names it") {
  return { ...keys, from: join(data, "credentials.json"), because };
}

test("finds server and keys in the data folder", async (t) => {
  const data = folderWith(t, JSON.stringify(file));
  assert.deepEqual(await findConnection({ data }, {}), own(data));
  assert.deepEqual(
    await findConnection({}, { CARILLON_DATA: data }),
    own(data, "CARILLON_DATA names it"),
  );
});

test("options go over the environment, that over the file", async (t) => {
  const data = folderWith(t, JSON.stringify(file));
  const env = {
    CARILLON_URL: "https://notify.example.com/",
    CARILLON_ACCESS_KEY: "A",
    CARILLON_SECRET_KEY: "S",
  };
  assert.deepEqual(await findConnection({ data }, env), own(data));
  assert.deepEqual(await findConnection({}, { ...env, CARILLON_DATA: data }), {
    url: "https://notify.example.com",
    accessKey: "A",
    secretKey: "S",
    from: "CARILLON_ACCESS_KEY",
    because: "the environment has keys",
  });
});

test("keys come from one place, all of them", async (t) => {
  const data = folderWith(t, JSON.stringify(file));
  for (const [env, problem] of [
    [
      { CARILLON_ACCESS_KEY: "A" },
      /^CARILLON_SECRET_KEY is missing, while CARILLON_ACCESS_KEY is set: /,
    ],
    [
      { CARILLON_SECRET_KEY: "S", CARILLON_PROJECT_ID: "p" },
      /^CARILLON_ACCESS_KEY is missing, while CARILLON_SECRET_KEY and CARILLON_PROJECT_ID are set: /,
    ],
    [
      { CARILLON_PROJECT_ID: "p", CARILLON_ACCESS_KEY: "" },
      /^CARILLON_ACCESS_KEY and CARILLON_SECRET_KEY are missing, while CARILLON_PROJECT_ID is set: /,
    ],
  ] as const) {
    for (const options of [{}, { url: "http://localhost:8080" }]) {
      const all = { ...env, CARILLON_DATA: data };
      await rejects(findConnection(options, all), problem);
    }
  }
  const empty = { CARILLON_ACCESS_KEY: "", CARILLON_SECRET_KEY: "" };
  const all = { ...empty, CARILLON_DATA: data };
  assert.equal((await findConnection({}, all)).accessKey, "AK");
});

test("misspelt variables are named, those of others are not", async (t) => {
  const data = folderWith(t, JSON.stringify(file));
  await rejects(
    findConnection({ data }, { CARILLON_SECRET_KY: "S", CARILLON_ULR: "u" }),
    /^CARILLON_SECRET_KY: .* did you mean CARILLON_SECRET_KEY\?\nCARILLON_ULR: .* CARILLON_URL\?$/,
  );
  const fine = {
    CARILLON_CONFIG: "/etc/carillon.json",
    CARILLON_SMTP_URL: "smtp://mail.example.com",
    CARILLON_SOMETHING_OF_OTHERS: "1",
    CARILLON_SERVICE_HOST: "10.0.0.1",
    CARILLON_SERVICE_PORT: "80",
  };
  assert.deepEqual(await findConnection({ data }, fine), own(data));
});

test("--url goes over the environment", async (t) => {
  const data = folderWith(t, JSON.stringify(file));
  const found = await findConnection(
    { url: "http://localhost:8080" },
    { CARILLON_URL: "http://localhost:9090", CARILLON_DATA: data },
  );
  assert.equal(found.url, "http://localhost:8080");
});

test("the keys of a file that was not named stay on this machine", async (t) => {
  const data = folderWith(t, JSON.stringify(file));
  const env = { CARILLON_DATA: data };
  await rejects(
    findConnection({ url: "https://elsewhere.example.com" }, env),
    /belong to http:\/\/127\.0\.0\.1:7070, not to https:\/\/elsewhere/,
  );
  const named = { url: "https://elsewhere.example.com", data };
  assert.equal((await findConnection(named, {})).accessKey, "AK");
  assert.equal(
    (await findConnection({ url: "http://[::1]:80" }, env)).accessKey,
    "AK",
  );
});

test("on the server itself the local address counts, not the public one", async (t) => {
  const publicUrl = "https://notify.example.com";
  const data = folderWith(t, JSON.stringify({ ...file, publicUrl }));
  assert.deepEqual(await findConnection({ data }, {}), own(data));
  const env = { CARILLON_DATA: data };
  const found = await findConnection({ url: publicUrl }, env);
  assert.deepEqual(found, {
    ...own(data, "CARILLON_DATA names it"),
    url: publicUrl,
  });
  await rejects(
    findConnection({ url: "https://elsewhere.example.com" }, env),
    /belong to http:\/\/127\.0\.0\.1:7070, not to/,
  );
});

test("says what became of a key that is not there any more", async (t) => {
  const { accessKey, secretKey: _, ...deleted } = file;
  const gone = folderWith(t, JSON.stringify(deleted));
  await rejects(
    findConnection({ data: gone }, {}),
    /^The access key of .* was deleted: .*carillon recover --data /,
  );
  const disabled = folderWith(t, JSON.stringify({ ...deleted, accessKey }));
  await rejects(
    findConnection({ data: disabled }, {}),
    /^The access key AK of .* is disabled: .*carillon recover --data /,
  );
  const found = await findConnection(
    {},
    {
      CARILLON_DATA: gone,
      CARILLON_URL: file.url,
      CARILLON_ACCESS_KEY: "A",
      CARILLON_SECRET_KEY: "S",
    },
  );
  assert.equal(found.accessKey, "A");
});

test("says what to do where there is nothing", async (t) => {
  const data = folderWith(t, undefined);
  await rejects(
    findConnection({ data }, {}),
    /No credentials in .*--data.*carillon recover/,
  );
  await rejects(
    findConnection(
      {},
      {
        CARILLON_ACCESS_KEY: "A",
        CARILLON_SECRET_KEY: "S",
        CARILLON_DATA: data,
      },
    ),
    /CARILLON_URL/,
  );
});

test("says what is wrong with the file or the URL", async (t) => {
  await rejects(
    findConnection({ data: folderWith(t, "{") }, {}),
    /cannot be read/,
  );
  await rejects(
    findConnection({ data: folderWith(t, "{}") }, {}),
    /does not hold url and project/,
  );
  const data = folderWith(t, JSON.stringify(file));
  await rejects(
    findConnection({ data, url: "localhost:7070" }, {}),
    /Expected a URL/,
  );
});

test("a context goes over the folder that is here, and under the environment", async (t) => {
  const folder = folderWith(t, undefined);
  const env = { XDG_CONFIG_HOME: folder };
  const prod: Context = {
    url: "https://notify.example.com",
    accessKey: "AKPROD",
    secretKey: "SKPROD",
    projectId: "p1",
    userName: "ann",
    ownsKey: false,
  };
  const test = {
    ...prod,
    url: "https://test.example.com",
    accessKey: "AKTEST",
  };
  await writeContexts(env, { current: "prod", contexts: { prod, test } });
  const chosen = await findConnection({}, env);
  assert.deepEqual(chosen, {
    url: prod.url,
    accessKey: "AKPROD",
    secretKey: "SKPROD",
    projectId: "p1",
    from: "context prod",
    because: "carillon login or carillon context use chose it",
  });
  const named = await findConnection(
    { context: "test" },
    { ...env, CARILLON_URL: "http://x", CARILLON_ACCESS_KEY: "half" },
  );
  assert.deepEqual([named.url, named.accessKey], [test.url, "AKTEST"]);
  const data = folderWith(t, JSON.stringify(file));
  const other = await findConnection({}, { ...env, CARILLON_DATA: data });
  assert.equal(other.accessKey, "AK");
  // Its keys stay with its server, unless it was named.
  await rejects(
    findConnection({ url: "https://elsewhere.example.com" }, env),
    /^The keys in context prod belong to https:\/\/notify/,
  );
  const sent = { url: "https://elsewhere.example.com", context: "prod" };
  assert.equal((await findConnection(sent, env)).accessKey, "AKPROD");
  await rejects(
    findConnection({ context: "nope" }, env),
    /^There is no context "nope": carillon context list/,
  );
  await rejects(
    findConnection({ context: "prod", data }, env),
    /^Expected --data or --context, not both/,
  );
});

async function rejects(promise: Promise<unknown>, pattern: RegExp) {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof CommandFailure);
    assert.match(error.message, pattern);
    return true;
  });
}

function folderWith(
  t: { after(run: () => void): void },
  content: string | undefined,
): string {
  const folder = mkdtempSync(join(tmpdir(), "carillon-connection-"));
  t.after(() => rmSync(folder, { recursive: true }));
  if (content !== undefined) {
    writeFileSync(join(folder, "credentials.json"), content);
  }
  return folder;
}
