import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { OutgoingMessage } from "@carillon/gateway";
import { loadConfig } from "../config.ts";
import { ConfigError } from "../config-error.ts";
import { createProvider } from "../sms-settings.ts";

const backend = `
export default (settings, { name, errors }) => ({
  publishMessage({ to }) {
    if (settings.refuse) throw new errors.AuthError("no " + settings.key);
    return { externalId: name + to, state: "sent" };
  },
});
`;

async function setUp(t: TestContext, files: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), "carillon-backends-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text);
  }
  const file = join(folder, "carillon.json");
  const load = async (sms: object) => {
    await writeFile(file, JSON.stringify({ sms }));
    return loadConfig({ file });
  };
  /** What is wrong, with the folder as `/etc`. */
  const mistakesOf = async (sms: object) => {
    try {
      await load(sms);
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      return error.mistakes.map(({ problem }) =>
        problem.replaceAll(folder, "/etc"),
      );
    }
    return [];
  };
  return { folder, load, mistakesOf };
}

const entry = { type: "module", name: "mine", module: "./mine.mjs" };
const ports = { logger: { info() {} } };

test("a module is found beside the configuration, and gets its settings", async (t) => {
  const { folder, load } = await setUp(t, {
    "mine.mjs": backend,
    "key.txt": "hush-hush\n",
  });
  const settings = { key: { file: "key.txt" } };
  const { sms } = await load({ providers: [{ ...entry, settings }] });
  const [setting] = sms.providers;
  assert.deepEqual(setting, {
    ...entry,
    module: join(folder, "mine.mjs"),
    settings: { key: "hush-hush" },
  });
  assert.ok(setting);
  const { Gateway } = await import("@carillon/gateway");
  const gateway = new Gateway();
  gateway.addProvider("mine", createProvider(setting, ports));
  const sent = await gateway.send(new OutgoingMessage("+420777123456", "Hi"));
  assert.equal(sent.msgid, "mine+420777123456");

  const refusing = { key: "hush-hush", refuse: true };
  const next = await load({ providers: [{ ...entry, settings: refusing }] });
  const [other] = next.sms.providers;
  assert.ok(other);
  gateway.addProvider("other", createProvider(other, ports));
  await assert.rejects(
    gateway.send(new OutgoingMessage("+420777123456", "Hi", null, "other")),
    { name: "AuthError", message: "no ***" },
  );
});

for (const [title, name, text] of [
  ["an object", "mine.mjs", "export default { publishMessage() {} };"],
  ["a class", "mine.mjs", "export default class { publishMessage() {} }"],
  ["CommonJS", "mine.cjs", "module.exports = { publishMessage() {} };"],
  [
    "TypeScript",
    "mine.ts",
    "const sent: string[] = [];\nexport default { publishMessage() { sent.push('x'); } };",
  ],
] as const) {
  test(`takes ${title} as a module`, async (t) => {
    const { mistakesOf } = await setUp(t, { [name]: text });
    const providers = [{ ...entry, module: `./${name}` }];
    assert.deepEqual(await mistakesOf({ providers }), []);
  });
}

for (const [text, problem] of [
  [undefined, "/etc/mine.mjs is not there"],
  ["export const backend = 1;", "/etc/mine.mjs has no default export"],
  [
    "export default 5;",
    "/etc/mine.mjs: expected an object with publishMessage(message), got a number",
  ],
  [
    "export default { publishMessage() {}, checkStates: true };",
    "/etc/mine.mjs: expected a method as checkStates, got a boolean",
  ],
  [
    "export default function make({ key }) { throw new Error('bad key ' + key); }",
    "/etc/mine.mjs: the function make threw Error: bad key ***",
  ],
  [
    "throw new Error('no database');",
    "/etc/mine.mjs cannot be loaded (Error: no database)",
  ],
  [
    "await 1; export default {};",
    "/etc/mine.mjs awaits something at its top level: what takes time is done by start",
  ],
  [
    "export default {",
    "/etc/mine.mjs cannot be loaded (SyntaxError: Unexpected end of input)",
  ],
  [
    "import 'no-such-package'; export default {};",
    "/etc/mine.mjs cannot be loaded (Error: Cannot find package 'no-such-package' imported from /etc/mine.mjs)",
  ],
] as const) {
  test(`refuses ${text ?? "a file that is missing"}`, async (t) => {
    const { mistakesOf } = await setUp(t, {
      ...(text !== undefined && { "mine.mjs": text }),
    });
    const settings = { key: "hush-hush" };
    assert.deepEqual(
      await mistakesOf({ providers: [{ ...entry, settings }] }),
      [`entry 1: module mine: ${problem}`],
    );
  });
}

test("all that is wrong is said at once", async (t) => {
  const { mistakesOf } = await setUp(t, {
    "router.mjs": "export default { mine: true };",
    "nothing.mjs": "export {};",
  });
  const providers = [
    { ...entry, module: "./nothing.mjs", batch: 1, colour: "red" },
    { ...entry, name: "second", module: "no-such-package" },
    { type: "module", name: "third", settings: [] },
  ];
  assert.deepEqual(await mistakesOf({ providers, router: "./router.mjs" }), [
    "entry 1: module mine: there is no such key as colour; there are type, name, module, settings, batch",
    "entry 1: module mine: expected true or false as batch",
    "entry 1: module mine: /etc/nothing.mjs has no default export",
    "entry 2: module second: there is no package no-such-package",
    "entry 3: module third: expected the path of a module, or the name of a package, as module",
    "entry 3: module third: expected an object as settings",
    "/etc/router.mjs: expected a function as its default export",
  ]);
});
