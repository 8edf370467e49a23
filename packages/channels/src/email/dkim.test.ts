/** Signatures, verified by code of its own from the bytes that came. */

import assert from "node:assert/strict";
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  verify,
} from "node:crypto";
import { test } from "node:test";
import { message, text } from "../fixtures.test.ts";
import { type DkimKey, dkimRecordOf, problemWithDkimKey } from "./dkim-key.ts";
import { createChannel, deliver, startServer } from "./mail-fixtures.test.ts";

const pem = { type: "pkcs8", format: "pem" } as const;
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const dkim: DkimKey = {
  domain: "carillon.example",
  selector: "s1",
  privateKey: String(privateKey.export(pem)),
};

for (const [what, content, change] of [
  ["text with dots, tabs and blanks", text(".\n..\n a\t b  \n\n\n"), {}],
  [
    "every script",
    text("Grüße 👋 שלום"),
    { subject: `Grüße ${"é".repeat(90)}` },
  ],
  [
    "HTML and a file",
    { kind: "mail", text: "", html: "<p>Hi</p>" },
    { attachmentBytes: 3 },
  ],
] as const) {
  test(`a mail of ${what} has a signature that its receiver can verify`, async (t) => {
    const server = await startServer(t);
    const channel = createChannel(t, server.url, {
      dkim,
      readAttachments: async () => [
        {
          name: "ä.bin",
          contentType: "application/octet-stream",
          content: Uint8Array.of(1, 2, 3),
        },
      ],
    });
    const sent = await deliver(channel, message({ content, ...change }));
    assert.equal(sent.outcome, "delivered");
    const { raw } = await server.only();
    const { tags, isGenuine } = verifyDkim(raw, dkimRecordOf(dkim).text);
    assert.equal(isGenuine, true);
    assert.equal(tags.d, "carillon.example");
    assert.equal(tags.s, "s1");
    const signed = tags.h?.toLowerCase().split(":") ?? [];
    for (const name of [
      "from",
      "to",
      "subject",
      "date",
      "message-id",
      "list-unsubscribe",
      // RFC 8058 §4
      "list-unsubscribe-post",
    ]) {
      assert.ok(signed.includes(name), name);
    }
    // The verifier can tell.
    const forged = Buffer.from(
      raw.toString("latin1").replace(/^Date: ./m, "Date: X"),
      "latin1",
    );
    assert.equal(verifyDkim(forged, dkimRecordOf(dkim).text).isGenuine, false);
    const longer = Buffer.concat([raw, Buffer.from("more\r\n")]);
    assert.equal(verifyDkim(longer, dkimRecordOf(dkim).text).isGenuine, false);
  });
}

for (const [what, key, problem] of [
  ["an RSA key of PKCS #8", dkim.privateKey, undefined],
  [
    "an RSA key of PKCS #1",
    String(privateKey.export({ type: "pkcs1", format: "pem" })),
    undefined,
  ],
  [
    "a short key",
    String(
      generateKeyPairSync("rsa", { modulusLength: 768 }).privateKey.export(pem),
    ),
    /got one of 768 bits$/,
  ],
  [
    "an Ed25519 key",
    String(generateKeyPairSync("ed25519").privateKey.export(pem)),
    /got one of type ed25519: not all receivers/,
  ],
  ["no key", "-----BEGIN secret-----", /not shown and is no such key$/],
  [
    "a public key",
    String(createPublicKey(privateKey).export({ type: "spki", format: "pem" })),
    /is no such key$/,
  ],
] as const) {
  test(`${what} is ${problem ? "refused" : "taken"} for signatures`, (t) => {
    const found = problemWithDkimKey(key);
    if (problem === undefined) {
      assert.equal(found, undefined);
      return;
    }
    assert.match(found ?? "", problem);
    assert.doesNotMatch(found ?? "", /secret/);
    assert.throws(
      () =>
        createChannel(t, "smtp://localhost", {
          dkim: { ...dkim, privateKey: key },
        }),
      { name: "TypeError", message: problem },
    );
  });
}

/** RFC 6376 §6.1, of relaxed/relaxed and rsa-sha256; throws at anything else. */
function verifyDkim(raw: Buffer, record: string) {
  const [head = "", ...bodyParts] = raw.toString("latin1").split("\r\n\r\n");
  const headers = head
    .split(/\r\n(?![ \t])/)
    .map((field) => /^([^:]+):([\s\S]*)$/.exec(field) ?? assert.fail(field))
    .map(([, name = "", value = ""]) => ({ name, value }));
  const signature =
    headers.find(({ name }) => name.toLowerCase() === "dkim-signature") ??
    assert.fail("no signature");
  const tags: Record<string, string> = {};
  for (const tag of signature.value.split(";")) {
    const [, name, value] = /^\s*(\w+)\s*=([\s\S]*)$/.exec(tag) ?? [];
    if (name) tags[name] = (value ?? "").replace(/\s+/g, "");
  }
  assert.equal(tags.a, "rsa-sha256");
  assert.equal(tags.c, "relaxed/relaxed");
  const body = bodyParts
    .join("\r\n\r\n")
    .replace(/[ \t]+/g, " ")
    .replace(/ \r\n/g, "\r\n")
    .replace(/(?:\r\n)+$/, "");
  const bodyHash = createHash("sha256")
    .update(body === "" ? "" : `${body}\r\n`, "latin1")
    .digest("base64");
  const relaxed = (name: string, value: string) =>
    `${name.toLowerCase().trim()}:${value
      .replace(/\r\n/g, "")
      .replace(/[ \t]+/g, " ")
      .trim()}`;
  const used = new Set<object>();
  const lines = (tags.h ?? "").split(":").flatMap((wanted) => {
    const field = headers.findLast(
      (it) => it.name.toLowerCase() === wanted.toLowerCase() && !used.has(it),
    );
    if (!field) return [];
    used.add(field);
    return [`${relaxed(field.name, field.value)}\r\n`];
  });
  const own = relaxed(
    signature.name,
    signature.value.replace(/(\bb=)[^;]*$/, "$1"),
  );
  const [, spki = ""] = /\bp=([A-Za-z0-9+/=]+)/.exec(record) ?? [];
  const isSigned = verify(
    "sha256",
    Buffer.from(lines.join("") + own, "latin1"),
    createPublicKey({
      key: Buffer.from(spki, "base64"),
      type: "spki",
      format: "der",
    }),
    Buffer.from(tags.b ?? "", "base64"),
  );
  return { tags, isGenuine: isSigned && bodyHash === tags.bh };
}
