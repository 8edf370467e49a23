import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { loadConfig } from "../config.ts";
import { ConfigError } from "../config-error.ts";
import { listConfigKeys } from "../config-schema.ts";
import { shownValue } from "../config-settings.ts";

async function setUp(t: TestContext, files: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), "carillon-mail-backends-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text);
  }
  const file = join(folder, "carillon.json");
  const load = async (email: object) => {
    await writeFile(file, JSON.stringify({ email }));
    return loadConfig({ file });
  };
  return {
    folder,
    load,
    /** What is wrong, with the folder as `/etc`. */
    async mistakesOf(email: object) {
      try {
        await load(email);
      } catch (error) {
        assert.ok(error instanceof ConfigError);
        return error.mistakes.map(({ problem }) =>
          problem.replaceAll(folder, "/etc"),
        );
      }
      return [];
    },
  };
}

const smtp = { type: "smtp", name: "bulk", smtpUrl: "smtp://u:p@mail.example" };
const mine = { type: "module", name: "mine", module: "./mine.mjs" };
const backend = "{ publishMessage() {} }";

test("modules are found beside the file, and secrets read from files", async (t) => {
  const { folder, load } = await setUp(t, {
    "mine.mjs": `export default ({ key }) => { if (key !== "hush") throw new Error(key); return ${backend}; };`,
    "key.txt": "hush\n",
    "router.mjs": "export default () => 'bulk';",
  });
  const settings = { key: { file: "key.txt" } };
  const { email } = await load({
    backends: [smtp, { ...mine, settings }, { type: "debug", name: "none" }],
    router: "./router.mjs",
  });
  assert.equal(email.router, join(folder, "router.mjs"));
  assert.deepEqual(email.backends, [
    smtp,
    { ...mine, module: join(folder, "mine.mjs"), settings: { key: "hush" } },
    { type: "debug", name: "none" },
  ]);
  const key = listConfigKeys().find(({ path }) => path === "email.backends");
  assert.ok(key);
  const shown = JSON.stringify(shownValue({ key, value: email.backends }));
  assert.doesNotMatch(shown, /hush|u:p/);
});

for (const [title, module] of [
  ["an object", `export default ${backend};`],
  ["a class", "export default class { publishMessage() {} }"],
  ["a function", `export default () => (${backend});`],
] as const) {
  test(`takes ${title} as a module`, async (t) => {
    const { mistakesOf } = await setUp(t, { "mine.mjs": module });
    assert.deepEqual(await mistakesOf({ backends: [mine] }), []);
  });
}

for (const [title, entry, problem] of [
  ["another type", { type: "mail", name: "a" }, /one of smtp, debug, module/],
  ["a name", { ...smtp, name: "A b" }, /as name/],
  ["a name that is reserved", { ...smtp, name: "default" }, /reserved/],
  ["no server", { type: "smtp", name: "a" }, /as smtpUrl/],
  ["no URL", { ...smtp, smtpUrl: "mail.example" }, /smtpUrl: /],
  ["an unknown key", { ...smtp, colour: 1 }, /no such key as colour/],
  ["a number", { ...smtp, connections: 0 }, /from 1 to 100 as connections/],
  [
    "a mode of TLS",
    { ...smtp, smtpUrl: "smtps://u:p@a.b", tls: "off" },
    /tls: /,
  ],
  [
    "a key of DKIM",
    { ...smtp, dkim: { domain: "a.b", selector: "s", key: "x" } },
    /dkim: /,
  ],
  ["half of DKIM", { ...smtp, dkim: { domain: "a.b" } }, /as dkim/],
  ["no module", { ...mine, module: "./none.mjs" }, /\/etc\/none.mjs is not/],
  ["what is no backend", mine, /expected methods as publishMessage/],
  [
    "a module that throws",
    { ...mine, module: "./throws.mjs", settings: { key: "hush" } },
    /it threw bad key \*\*\*/,
  ],
] as const) {
  test(`refuses ${title}, and shows no secret`, async (t) => {
    const { mistakesOf } = await setUp(t, {
      "mine.mjs": "export default {};",
      "throws.mjs":
        "export default ({ key }) => { throw new Error('bad key ' + key); };",
    });
    const problems = await mistakesOf({ backends: [entry] });
    assert.equal(problems.length, 1, problems.join("\n"));
    assert.match(problems[0] ?? "", problem);
    assert.doesNotMatch(problems.join(), /hush|u:p/);
  });
}

test("refuses two of one name, and a router that is no function", async (t) => {
  const { mistakesOf } = await setUp(t, { "router.mjs": "export default 1;" });
  const problems = await mistakesOf({
    backends: [smtp, smtp],
    router: "./router.mjs",
  });
  assert.deepEqual(problems, [
    "entry 2: another backend has this name, or it is reserved",
    "/etc/router.mjs: expected a function as its default export",
  ]);
});
