import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { test } from "node:test";
import { RecordingLogger } from "@carillon/testing";
import { SigningThreads } from "./signing-threads.ts";

const rsa = () =>
  generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const key = rsa();

const holds = (signature: string, text: string, privateKey = key) =>
  verify(
    "RSA-SHA256",
    Buffer.from(text),
    createPublicKey(privateKey),
    Buffer.from(signature, "base64"),
  );

test("signs what came in at once, each text for itself", async () => {
  using threads = new SigningThreads(new RecordingLogger(), { threads: 2 });
  const texts = Array.from({ length: 300 }, (_, n) => `Grüße ${n} 👋`);
  const signatures = await Promise.all(
    texts.map((it) => threads.sign(it, key)),
  );
  for (const [n, text] of texts.entries()) {
    assert.ok(holds(signatures[n] ?? "", text), text);
  }
});

test("signs with the key that each text was given with", async () => {
  using threads = new SigningThreads(new RecordingLogger(), { threads: 1 });
  const other = rsa();
  const [one, two, three] = await Promise.all([
    threads.sign("a", key),
    threads.sign("a", other),
    threads.sign("b", key),
  ]);
  assert.ok(holds(one, "a") && holds(two, "a", other) && holds(three, "b"));
});

test("signs texts that are larger than a batch", async () => {
  using threads = new SigningThreads(new RecordingLogger(), { threads: 1 });
  const texts = ["x", "y", "z"].map((it) => it.repeat(300_000));
  const signatures = await Promise.all(
    texts.map((it) => threads.sign(it, key)),
  );
  for (const [n, text] of texts.entries()) {
    assert.ok(holds(signatures[n] ?? "", text));
  }
});

test("says when a key cannot sign, and signs the next text", async () => {
  using threads = new SigningThreads(new RecordingLogger(), { threads: 1 });
  const { privateKey } = generateKeyPairSync("ed25519");
  await assert.rejects(threads.sign("a", privateKey), Error);
  assert.ok(holds(await threads.sign("a", key), "a"));
});

test("signs here what a thread that dies was given, and says so", async () => {
  const logger = new RecordingLogger();
  const entry = new URL("data:text/javascript,process.exit(3)");
  using threads = new SigningThreads(logger, { threads: 1, entry });
  for (const text of ["a", "b"]) {
    assert.ok(holds(await threads.sign(text, key), text));
  }
  assert.deepEqual(
    logger.lines.map(({ event, fields }) => [event, fields.exitCode]),
    [
      ["signing_thread_ended", 3],
      ["signing_thread_ended", 3],
    ],
  );
});

test("signs here where no thread can be started, and says so", async () => {
  const logger = new RecordingLogger();
  const entry = new URL("ftp://host.test/");
  using threads = new SigningThreads(logger, { threads: 1, entry });
  const both = ["a", "b"].map((text) => threads.sign(text, key));
  const [one = "", two = ""] = await Promise.all(both);
  assert.ok(holds(one, "a") && holds(two, "b"));
  assert.equal(logger.count("signing_thread_ended"), 1);
});

test("signs what comes after its end", async () => {
  const logger = new RecordingLogger();
  const threads = new SigningThreads(logger, { threads: 1 });
  const early = threads.sign("a", key);
  threads[Symbol.dispose]();
  assert.ok(holds(await early, "a"));
  assert.ok(holds(await threads.sign("b", key), "b"));
  assert.deepEqual(logger.lines, []);
});
