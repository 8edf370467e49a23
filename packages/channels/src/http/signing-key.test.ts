import assert from "node:assert/strict";
import { verify, X509Certificate } from "node:crypto";
import { test } from "node:test";
import {
  type Setting,
  type SettingStore,
  type StoreChange,
  type StoreChanges,
  silentLogger,
  systemClock,
} from "@carillon/core";
import { MemoryStore } from "@carillon/testing";
import {
  SigningKeys,
  type SigningSecrets,
  signingKeysSetting,
} from "./signing-key.ts";

test("makes a key when there is none, and finds it again later", async () => {
  const settings = new MemorySettings();
  const first = createKeys(settings);
  const { certificateId } = await first.sign("text");

  const second = createKeys(settings);
  assert.match(certificateId, /^SMN_eu-de_[0-9a-f]{32}\.pem$/);
  assert.equal((await second.sign("text")).certificateId, certificateId);
  assert.equal(settings.puts, 1);
});

test("makes one key however many messages wait for it", async () => {
  const settings = new MemorySettings();
  const keys = createKeys(settings);

  const signatures = await Promise.all([
    keys.load(),
    keys.sign("one"),
    keys.sign("two"),
  ]);

  assert.equal(signatures[1].certificateId, signatures[2].certificateId);
  assert.equal(settings.puts, 1);
});

test("makes one key however many processes start at once on one store", async () => {
  const settings = new MemorySettings();
  const processes = Array.from({ length: 4 }, () => createKeys(settings));

  const signatures = await Promise.all(
    processes.map((keys) => keys.sign("text")),
  );

  const ids = signatures.map(({ certificateId }) => certificateId);
  assert.equal(new Set(ids).size, 1);
  assert.equal(settings.puts, 1);
});

test("loses no certificate when processes rotate at once", async () => {
  const settings = new MemorySettings();
  const first = await createKeys(settings).rotate();
  const rotated = await Promise.all(
    Array.from({ length: 4 }, () => createKeys(settings).rotate()),
  );

  const listed = await createKeys(settings).list();
  const ids = listed.map(({ certificateId }) => certificateId);
  for (const id of [first, ...rotated]) assert.ok(ids.includes(id), id);
});

test("signs with the key that another process rotated to, once it is told", async () => {
  const settings = new MemorySettings();
  const here = createKeys(settings);
  const elsewhere = createKeys(settings);
  const { certificateId: former } = await here.sign("text");
  const rotated = await elsewhere.rotate();
  // Read in the background.
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await here.sign("text")).certificateId, rotated);
  assert.ok(await here.findCertificate(former));

  // Nobody tells it any more.
  here[Symbol.dispose]();
  const last = await elsewhere.rotate();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await here.sign("text")).certificateId, rotated);
  assert.ok(await here.findCertificate(last));
});

test("signs on with the key it has while the store cannot be read", async () => {
  const settings = new MemorySettings();
  const here = createKeys(settings);
  const { certificateId } = await here.sign("text");
  const elsewhere = createKeys(settings);
  await elsewhere.load();
  // Fails what it is told to read.
  const rotated = elsewhere.rotate();
  settings.onPut = () => {
    settings.isBroken = true;
  };
  await rotated;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await here.sign("text")).certificateId, certificateId);
  settings.isBroken = false;
  assert.equal((await here.list())[0]?.certificateId, await rotated);
});

test("signs so that the certificate's holder is proved", async () => {
  const keys = createKeys(new MemorySettings());
  const { signature, certificateId } = await keys.sign("text");

  const pem = await keys.findCertificate(certificateId);
  assert.ok(verifies(pem, "text", signature));
  assert.ok(!verifies(pem, "other text", signature));
});

test("old certificates stay downloadable after rotations and restarts", async () => {
  const settings = new MemorySettings();
  const keys = createKeys(settings);
  const before = await keys.sign("text");
  const [second, third] = await Promise.all([keys.rotate(), keys.rotate()]);
  const after = await keys.sign("text");

  // Whichever was written last.
  assert.equal(after.certificateId, (await keys.list())[0]?.certificateId);
  assert.notEqual(after.certificateId, before.certificateId);
  assert.equal(new Set([before.certificateId, second, third]).size, 3);
  const restarted = createKeys(settings);
  for (const { signature, certificateId } of [before, after]) {
    const pem = await restarted.findCertificate(certificateId);
    assert.ok(verifies(pem, "text", signature));
  }
  for (const id of [second, third]) {
    assert.ok(await restarted.findCertificate(id));
  }
});

test("finds the certificate that another process made", async () => {
  const settings = new MemorySettings();
  const here = createKeys(settings);
  await here.load();
  const certificateId = await createKeys(settings).rotate();

  assert.ok(await here.findCertificate(certificateId));
  assert.equal(
    await here.findCertificate(`SMN_eu-de_${"0".repeat(32)}.pem`),
    undefined,
  );
});

test("a store that fails once does not keep it from signing later", async () => {
  const settings = new MemorySettings();
  settings.isBroken = true;
  const keys = createKeys(settings);
  await assert.rejects(keys.sign("text"), /broken/);

  settings.isBroken = false;
  assert.ok((await keys.sign("text")).signature);
});

test("does not overwrite a setting that it cannot read", async () => {
  const settings = new MemorySettings();
  await settings.putSetting(signingKeysSetting, "{}", 0);

  await assert.rejects(createKeys(settings).load(), /smn\.signing_keys/);
  assert.equal((await settings.findSetting(signingKeysSetting))?.value, "{}");
});

test("lists the current certificate first, then the newest", async () => {
  const settings = new MemorySettings();
  const keys = createKeys(settings);
  const first = (await keys.sign("text")).certificateId;
  const second = await keys.rotate();
  const third = await createKeys(settings).rotate();
  await keys.rotate();

  const listed = await keys.list();
  assert.deepEqual(
    listed.slice(1).map(({ certificateId }) => certificateId),
    [third, second, first],
  );
  assert.deepEqual(
    listed.map(({ current }) => current),
    [true, false, false, false],
  );
  for (const { notBefore, notAfter } of listed) {
    assert.ok(notBefore < Date.now() && Date.now() < notAfter);
  }
});

test("keeps no private key that is not sealed", async () => {
  const settings = new MemorySettings();
  await createKeys(settings).rotate();

  const kept = JSON.parse(
    (await settings.findSetting(signingKeysSetting))?.value ?? "",
  );
  assert.match(kept.privateKey, /^sealed for smn\.signing_keys:/);
});

/** Sealing is the server's affair: this only shows that it is done. */
const fakeSecrets: SigningSecrets = {
  seal: (secret, purpose) => `sealed for ${purpose}:${secret}`,
  open: (sealed) => sealed.slice(sealed.indexOf(":") + 1),
};

function createKeys(settings: SettingStore & StoreChanges): SigningKeys {
  return new SigningKeys({
    settings,
    secrets: fakeSecrets,
    region: "eu-de",
    clock: systemClock,
    logger: silentLogger,
  });
}

function verifies(
  pem: string | undefined,
  text: string,
  signature: string,
): boolean {
  const { publicKey } = new X509Certificate(pem ?? "");
  return verify(
    "RSA-SHA256",
    Buffer.from(text),
    publicKey,
    Buffer.from(signature, "base64"),
  );
}

class MemorySettings implements SettingStore, StoreChanges {
  readonly #store = new MemoryStore();
  puts = 0;
  isBroken = false;
  onPut: () => void = () => {};

  changes(listener: (change: StoreChange) => void): () => void {
    return this.#store.changes(listener);
  }

  async findSetting(name: string): Promise<Setting | undefined> {
    if (this.isBroken) throw new Error("broken");
    return await this.#store.findSetting(name);
  }

  async putSetting(
    name: string,
    value: string,
    replaces: number,
  ): Promise<boolean> {
    const written = await this.#store.putSetting(name, value, replaces);
    if (written) {
      this.puts++;
      this.onPut();
    }
    return written;
  }
}
