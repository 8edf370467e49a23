import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { type BodyHeaders, excerptOfBody } from "./answer-text.ts";

const error = Buffer.from("Überlast 👋");
const plain = { "content-type": "text/plain" };

const cases: readonly (readonly [
  what: string,
  body: Buffer,
  headers: BodyHeaders,
  text: string,
])[] = [
  ["nothing", Buffer.alloc(0), { "content-type": "image/png" }, ""],
  ["UTF-8 without a word on it", error, {}, "Überlast 👋"],
  ["a byte order mark", Buffer.from("\ufeffa"), plain, "a"],
  ["a cut character", error.subarray(0, -2), plain, "Überlast"],
  [
    "ISO 8859-1",
    Buffer.from("Überlast", "latin1"),
    { "content-type": 'text/html; charset="ISO-8859-1"' },
    "Überlast",
  ],
  [
    "Windows-1251",
    Buffer.from([0xce, 0xf8, 0xe8, 0xe1, 0xea, 0xe0]),
    { "content-type": "text/plain;charset=windows-1251" },
    "Ошибка",
  ],
  [
    "Shift_JIS",
    Buffer.from([0x8c, 0xcc, 0x8f, 0xe1]),
    { "content-type": ["text/plain; charset=Shift_JIS"] },
    "故障",
  ],
  [
    "GBK",
    Buffer.from([0xb9, 0xca, 0xd5, 0xcf]),
    { "content-type": "text/plain; charset=gbk" },
    "故障",
  ],
  ["UTF-16", Buffer.from("\ufeffÜber", "utf16le"), plain, "Über"],
  ["gzip", gzipSync(error), { "content-encoding": "gzip" }, "Überlast 👋"],
  ["x-gzip", gzipSync(error), { "content-encoding": "X-GZip" }, "Überlast 👋"],
  [
    "deflate",
    deflateSync(error),
    { "content-encoding": "deflate" },
    "Überlast 👋",
  ],
  [
    "br",
    brotliCompressSync(error),
    { "content-encoding": "br" },
    "Überlast 👋",
  ],
  ["identity", error, { "content-encoding": "identity" }, "Überlast 👋"],
  [
    "an encoding that is not known",
    error,
    { ...plain, "content-encoding": "zstd" },
    "[binary text/plain]",
  ],
  ["what is no gzip", error, { "content-encoding": "gzip" }, "[binary]"],
  [
    "a charset that is not known",
    error,
    { "content-type": "text/plain; charset=klingon" },
    "[binary text/plain]",
  ],
  [
    "other bytes than the charset's",
    Buffer.from("Überlast", "latin1"),
    { "content-type": "text/plain; charset=utf-8" },
    "[binary text/plain]",
  ],
  [
    "an image",
    Buffer.from("89504e470d0a1a0a0000000d49484452", "hex"),
    { "content-type": "image/png" },
    "[binary image/png]",
  ],
  ["bytes of zero", Buffer.alloc(9), {}, "[binary]"],
  [
    "a type that would steer a terminal",
    Buffer.alloc(9),
    { "content-type": `a\u001b[31m\u202e${"x".repeat(999)}` },
    `[binary a [31m ${"x".repeat(85)}]`,
  ],
];

for (const [what, body, headers, text] of cases) {
  test(`makes text of ${what}`, () => {
    assert.equal(excerptOfBody(body, headers), text);
  });
}

test("reads the beginning of a compressed body that was cut off", () => {
  const text = `error ${randomBytes(9000).toString("hex")}`;
  for (const [encoding, compressed] of [
    ["gzip", gzipSync(text)],
    ["deflate", deflateSync(text)],
    ["br", brotliCompressSync(text)],
  ] as const) {
    const found = excerptOfBody(compressed.subarray(0, 4000), {
      "content-encoding": encoding,
    });
    assert.equal(found, text.slice(0, 200), encoding);
  }
});

test("takes out secrets before the text is cut, and where it was cut", () => {
  const secrets = ["0123456789"];
  for (const [body, text] of [
    [`${"x".repeat(195)}0123456789`, `${"x".repeat(195)}***`],
    [`a${" ".repeat(2041)}0123456789`, "a ***"],
    [`a${" ".repeat(4089)}0123456789`, "a"],
  ] as const) {
    assert.equal(excerptOfBody(Buffer.from(body), {}, { secrets }), text);
  }
});

test("does not unpack a bomb", () => {
  for (const [encoding, bomb] of [
    ["gzip", gzipSync(Buffer.alloc(2 ** 24, "a"))],
    ["br", brotliCompressSync(Buffer.alloc(2 ** 24, "a"))],
  ] as const) {
    const headers = { "content-encoding": encoding };
    assert.match(excerptOfBody(bomb, headers), /^\[binary\]$|^a+$/);
  }
});
