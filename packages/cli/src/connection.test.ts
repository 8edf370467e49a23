import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CommandFailure } from "./command-failure.ts";
import { findConnection } from "./connection.ts";

const file = {
  url: "http://127.0.0.1:7070",
  region: "local",
  project: { id: "0f3c5d1e2a4b46788899aabbccddeeff", name: "default" },
  accessKey: "AK",
  secretKey: "SK",
};

const own = {
  url: file.url,
  accessKey: "AK",
  secretKey: "SK",
  projectId: file.project.id,
};

test("finds server and keys in the data folder", async (t) => {
  const data = folderWith(t, JSON.stringify(file));
  assert.deepEqual(await findConnection({ data }, {}), own);
  assert.deepEqual(await findConnection({}, { CARILLON_DATA: data }), own);
});

test("the environment goes over the file", async (t) => {
  const data = folderWith(t, JSON.stringify(file));
  const env = {
    CARILLON_URL: "https://notify.example.com/",
    CARILLON_ACCESS_KEY: "A",
    CARILLON_SECRET_KEY: "S",
  };
  assert.deepEqual(await findConnection({ data }, env), {
    url: "https://notify.example.com",
    accessKey: "A",
    secretKey: "S",
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
    for (const options of [{ data }, { data, url: "http://localhost:8080" }]) {
      await rejects(findConnection(options, env), problem);
    }
    await rejects(findConnection({}, { ...env, CARILLON_DATA: data }), problem);
  }
  const empty = { CARILLON_ACCESS_KEY: "", CARILLON_SECRET_KEY: "" };
  assert.deepEqual(await findConnection({ data }, empty), own);
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
  assert.deepEqual(await findConnection({ data }, fine), own);
});

test("--url goes over the environment", async (t) => {
  const data = folderWith(t, JSON.stringify(file));
  const found = await findConnection(
    { data, url: "http://localhost:8080" },
    { CARILLON_URL: "http://localhost:9090" },
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

test("says what to do where there is nothing", async (t) => {
  const data = folderWith(t, undefined);
  await rejects(findConnection({ data }, {}), /No credentials in .*--data/);
  await rejects(
    findConnection(
      { data },
      { CARILLON_ACCESS_KEY: "A", CARILLON_SECRET_KEY: "S" },
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
    /does not hold url, project/,
  );
  const data = folderWith(t, JSON.stringify(file));
  await rejects(
    findConnection({ data, url: "localhost:7070" }, {}),
    /Expected a URL/,
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
