import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCost } from "@carillon/testing";
import { redact, secretsOfCredentials, secretsOfUrl } from "./redact.ts";

const url =
  "https://ann:p%40ss%2Fword@hooks.example/services/T024BE7LD?key=s%C3%A9cret+key&v=2&sig=a/b/c/d&flagtoken#part";
const base64 = Buffer.from("ann:p@ss/word").toString("base64");
const rawBase64 = Buffer.from("ann:p%40ss%2Fword").toString("base64");

const quotes: readonly (readonly [quoted: string, redacted: string])[] = [
  ["Cannot POST /services/T024BE7LD", "Cannot POST ***"],
  ["at /SERVICES/t024be7ld/x", "at ***/x"],
  ["at %2Fservices%2FT024BE7LD.", "at ***."],
  ['{"path":"\\/services\\/T024BE7LD"}', '{"path":"***"}'],
  [
    "GET /services/T024BE7LD?key=s%C3%A9cret+key&v=2&sig=a/b/c/d&flagtoken HTTP/1.1",
    "GET ***?*** HTTP/1.1",
  ],
  ["?key=s%C3%A9cret+key&amp;v=2&amp;sig=a/b/c/d&amp;flagtoken", "?***"],
  ["no such key: s%c3%a9cret+key", "no such key: ***"],
  ["no such key: sécret key!", "no such key: ***!"],
  ["no such key: SéCRET KEY!", "no such key: ***!"],
  ["sig a/b/c/d, a\\/b\\/c\\/d, a%2Fb%2Fc%2Fd", "sig ***, ***, ***"],
  ["flagtoken flagtoken", "*** ***"],
  [`Basic ${base64} is wrong`, "Basic *** is wrong"],
  [`Basic ${base64.replace(/=+$/, "")}`, "Basic ***"],
  [`Basic ${rawBase64}`, "Basic ***"],
  ["ann:p@ss/word and ann:p%40ss%2Fword", "*** and ***"],
  ["password p@ss/word", "password ***"],
  ["password p%40ss%2fword", "password ***"],
  ['{"pass":"p@ss\\/word"}', '{"pass":"***"}'],
  [
    "form: password=s%C3%A9cret+key, s&eacute;",
    "form: password=***, s&eacute;",
  ],
  ["sigs: a/b/c/da/b/c/d", "sigs: ***"],
  // What the end cuts off.
  ["Cannot POST /services/T02", "Cannot POST ***"],
  ["Cannot POST /ser", "Cannot POST ***"],
  ["Cannot POST /se", "Cannot POST /se"],
  // What is no secret.
  ["out of memory, v=2", "out of memory, v=2"],
  ["hooks.example: ann is unknown", "hooks.example: ann is unknown"],
  ["", ""],
  ["İ\u0130 /services/T024BE7LD", "İ\u0130 ***"],
];

for (const [quoted, redacted] of quotes) {
  test(`takes the secrets of a URL out of ${JSON.stringify(quoted)}`, () => {
    assert.equal(redact(quoted, secretsOfUrl(url)), redacted);
  });
}

test("parts of a path that are no names are secrets, too", () => {
  const secrets = secretsOfUrl("https://a.test/hooks/0123456789abcdef/");
  assert.equal(redact("no hook 0123456789abcdef", secrets), "no hook ***");
  assert.equal(redact("no hooks", secrets), "no hooks");
  assert.equal(redact("/hooks/0123456789abcdef", secrets), "***");
});

test("a name of a user that is long enough is one", () => {
  const secrets = secretsOfUrl("https://apikey-7:x@a.test/");
  assert.equal(redact("user apikey-7", secrets), "user ***");
});

test("of what is no URL, or has nothing to hide, nothing is", () => {
  for (const plain of ["", "nonsense", "https://a.test", "https://a.test/"]) {
    assert.equal(
      redact("https://a.test/ nonsense", secretsOfUrl(plain)),
      "https://a.test/ nonsense",
    );
  }
});

test("takes credentials out as they are sent", () => {
  const secrets = secretsOfCredentials({ user: "bob", pass: 'se"cret' });
  const sent = Buffer.from('bob:se"cret').toString("base64");
  assert.equal(
    redact(`${sent}; bob; se"cret; {"p":"se\\"cret"}`, secrets),
    '***; bob; ***; {"p":"***"}',
  );
});

test("takes its time by the length of the text, whatever it is sought for", async () => {
  const parameters = Array.from(
    { length: 100 },
    (_, i) => `${"a".repeat(12)}${i}`,
  );
  const secrets = [
    ...secretsOfUrl(
      `https://h.test/${"a".repeat(600)}?${parameters.join("&")}`,
    ),
    "a".repeat(2000),
    `b${"a".repeat(2000)}`,
  ];
  const short = "a".repeat(65_536);
  const long = "a".repeat(8 * 65_536);
  await assertCost(() => redact(long, secrets), {
    atMost: 16,
    timesThatOf: () => redact(short, secrets),
  });
});
