/** The configuration in each carrier's guide is one that the server takes. */

import assert from "node:assert/strict";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { providerTypes } from "@carillon/gateway";
import { loadConfig } from "./config.ts";
import { createProvider } from "./sms-settings.ts";

const folder = new URL("../../../docs/guides/providers/", import.meta.url);
const guides = readdirSync(folder)
  .filter((it) => it.endsWith(".md"))
  .map((name) => ({ name, text: readFileSync(new URL(name, folder), "utf8") }));

const ports = { logger: { info() {} } };

for (const { name, text } of guides) {
  test(`the configuration in ${name} is taken`, (t) => {
    const json = /```json\n([\s\S]*?)```/.exec(text)?.[1];
    assert.ok(json, "there is none");
    const data = mkdtempSync(join(tmpdir(), "carillon-guide-"));
    t.after(() => rmSync(data, { recursive: true }));
    const file = join(data, "carillon.json");
    const secret = join(data, "secret");
    writeFileSync(secret, "a secret\n");
    writeFileSync(
      file,
      json.replaceAll(/"\/run\/secrets\/[^"]*"/g, JSON.stringify(secret)),
    );
    const { providers } = loadConfig({ file }).sms;
    assert.ok(providers.length > 0);
    for (const provider of providers) createProvider(provider, ports);
  });
}

test("every carrier has a guide", () => {
  const texts = guides.map(({ text }) => text).join("\n");
  const simple = new Set(["loopback", "log", "null"]);
  for (const { type } of providerTypes) {
    if (simple.has(type) || type.startsWith("forward-")) continue;
    assert.ok(texts.includes(`"type": "${type}"`), type);
  }
});
