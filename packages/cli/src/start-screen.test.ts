import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type FirstCredentials, loadConfig } from "@carillon/server";
import { startScreen } from "./start-screen.ts";

const credentials = {
  url: "http://127.0.0.1:7070",
  region: "local",
  domain: "default",
  project: { id: "0f3c5d1e2a4b46788899aabbccddeeff", name: "default" },
  user: { name: "admin", password: "9f6Gr3i86JPtbZJhL7fFY-2g" },
  accessKey: "N258EYNUHLRPAZ6CSKN2",
  secretKey: "dGORYMi2q8aMhJfPG5HkxT9Q5Yc02AChcj7m8bDj",
  receiverSecret: "receiver",
} as FirstCredentials;

function screen(
  folder: string,
  flags: Readonly<Record<string, unknown>> = {},
  more: { credentials?: FirstCredentials; ignoredPresets?: string[] } = {},
): string {
  const data = join(folder, "carillon-data");
  return startScreen({
    url: "http://127.0.0.1:7070",
    config: loadConfig({ flags: { data, ...flags } }),
    ignoredPresets: [],
    folder,
    ...more,
  });
}

test("the first start says where, who, what next and what is not set up", (t) => {
  const folder = emptyFolder(t);
  assert.equal(
    screen(folder, {}, { credentials }),
    `Carillon is ready at http://127.0.0.1:7070 (Ctrl-C stops it).

Who you are; shown this once:
  user        admin, who may do everything
  password    9f6Gr3i86JPtbZJhL7fFY-2g
  project     default (0f3c5d1e2a4b46788899aabbccddeeff)
  access key  N258EYNUHLRPAZ6CSKN2
  secret key  dGORYMi2q8aMhJfPG5HkxT9Q5Yc02AChcj7m8bDj
  kept in     carillon-data/credentials.json

What to do next, in another terminal:
  carillon topic create alerts
  carillon subscription create alerts https https://example.com/hook
  # open the link that was posted there, to confirm; then
  carillon publish alerts "The disk is full" --wait

Not set up:
  mail server  no e-mail can be sent: set CARILLON_SMTP_URL
  SMS carrier  texts are only logged: set CARILLON_SMS_PROVIDERS
  public URL   links lead to 127.0.0.1: set CARILLON_PUBLIC_URL
`,
  );
});

test("a later start is short, and names presets that do not count", (t) => {
  assert.equal(
    screen(
      emptyFolder(t),
      {
        smtpUrl: "smtp://mail.example.com",
        publicUrl: "https://notify.example.com",
      },
      { ignoredPresets: ["CARILLON_ACCESS_KEY"] },
    ),
    `Carillon is ready at http://127.0.0.1:7070 (Ctrl-C stops it).
Not set up:
  SMS carrier  texts are only logged: set CARILLON_SMS_PROVIDERS
Mind:
  CARILLON_ACCESS_KEY counts at the first start only
`,
  );
});

test("the sandbox needs no mail server and no carrier, and links are spoken of", (t) => {
  const text = screen(emptyFolder(t), { sandbox: true, host: "0.0.0.0" });
  assert.match(text, /the sandbox is on/);
  assert.match(text, /others reach 0\.0\.0\.0/);
  assert.doesNotMatch(text, /CARILLON_SMTP_URL|CARILLON_SMS_PROVIDERS/);
});

test("a receiver confirms before it is sent anything", (t) => {
  const next = (flags: Readonly<Record<string, unknown>>) =>
    /in another terminal:\n([\s\S]*?)\n\n/
      .exec(screen(emptyFolder(t), flags, { credentials }))?.[1]
      ?.split("\n")
      .map((line) => line.trim());
  assert.deepEqual(next({ sandbox: true }), [
    "carillon topic create alerts",
    "carillon subscription create alerts email me@example.com",
    "carillon subscription confirm $(carillon sandbox mail --link --wait 9)",
    'carillon publish alerts "The disk is full" --wait',
  ]);
  const mail = { smtpUrl: "smtp://mail.example.com", sandbox: true };
  assert.equal(
    next(mail)?.[2],
    "# open the link in the mail that comes, to confirm; then",
  );
});

test("commands work as typed: by npx in a clone, with the folder when it is another", (t) => {
  const folder = emptyFolder(t);
  const bin = join(folder, "node_modules", ".bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "carillon"), "");
  const below = join(folder, "below");
  const text = screen(below, { data: "/srv/it's here" }, { credentials });
  assert.match(text, /^ {2}npx carillon topic create alerts$/m);
  assert.match(text, /^ {2}export CARILLON_DATA='\/srv\/it'\\''s here'$/m);
});

test("the longest screen fits 80 columns and 24 lines", (t) => {
  const folder = emptyFolder(t);
  const bin = join(folder, "node_modules", ".bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "carillon"), "");
  const lines = screen(
    folder,
    { host: "0.0.0.0", sandbox: true, data: join(folder, "other") },
    { credentials },
  ).split("\n");
  assert.match(lines.join("\n"), /npx carillon/);
  assert.ok(lines.length <= 24, String(lines.length));
  for (const line of lines) assert.ok(line.length <= 80, line);
});

function emptyFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "carillon-screen-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}
