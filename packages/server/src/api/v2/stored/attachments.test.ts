import assert from "node:assert/strict";
import { test } from "node:test";
import fastify from "fastify";
import { placeOf, sendAttachment, toAttachments } from "./attachments.ts";

const file = { name: "a.txt", contentType: "text/plain" };

test("base64 becomes bytes", () => {
  const [one] = toAttachments([{ ...file, content: "AP+A", contentId: "a" }]);
  assert.deepEqual(
    { ...one, content: [...(one?.content ?? [])] },
    { ...file, contentId: "a", content: [0, 255, 128] },
  );
  assert.equal(toAttachments([{ ...file, content: "" }])[0]?.content.length, 0);
});

test("what is no base64 is refused, with its place", () => {
  for (const content of [
    "A",
    "AAA",
    "A===",
    "AA=A",
    "A-_A",
    "AAAA\n",
    "äAAA",
  ]) {
    assert.throws(
      () =>
        toAttachments([
          { ...file, content: "AAAA" },
          { ...file, content },
        ]),
      {
        code: "MESSAGE_INVALID",
        message: /^Invalid attachments\[1\]\.content/,
      },
      content,
    );
  }
});

test("attachments are counted from 1", () => {
  assert.equal(placeOf("1", 2), 0);
  assert.equal(placeOf("2", 2), 1);
  for (const place of ["0", "3", "-1", "01", "1.0", "x", "", "9".repeat(30)]) {
    assert.throws(() => placeOf(place, 2), {
      code: "ATTACHMENT_NOT_FOUND",
    });
  }
});

test("no browser shows what is given out in the server's name", async () => {
  await using app = fastify();
  let given = { ...file, content: new Uint8Array() };
  app.get("/", async (_, reply) => sendAttachment(reply, given));
  for (const [name, contentType, disposition, type] of [
    [
      "Rechnung ü.pdf",
      "application/pdf",
      `attachment; filename="Rechnung_.pdf"; filename*=UTF-8''Rechnung%20%C3%BC.pdf`,
      "application/pdf",
    ],
    [
      'a";x="b.html',
      "text/html",
      `attachment; filename="a_x_b.html"; filename*=UTF-8''a%22%3Bx%3D%22b.html`,
      "text/html",
    ],
    [
      "a\r\nSet-Cookie: b(1)'*",
      "text/html\r\nx: y",
      `attachment; filename="a_Set-Cookie_b_1_"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20b%281%29%27%2A`,
      "application/octet-stream",
    ],
  ] as const) {
    given = { name, contentType, content: Uint8Array.of(1, 2) };
    const { headers, rawPayload } = await app.inject("/");
    assert.deepEqual([...rawPayload], [1, 2]);
    assert.equal(headers["content-disposition"], disposition);
    assert.equal(headers["content-type"], type);
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.match(String(headers["content-security-policy"]), /sandbox/);
    assert.equal(headers["set-cookie"], undefined);
  }
});
