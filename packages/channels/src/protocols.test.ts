import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CarillonError,
  checkEndpoint,
  checkExtension,
  createProtocols,
  defaultLivesOf,
  defaultRetryPolicy,
  smnRetryPolicy,
} from "@carillon/core";
import { emailProtocol } from "./email/protocol.ts";
import { httpProtocol, httpsProtocol } from "./http/protocol.ts";
import { smsProtocol } from "./sms/protocol.ts";

const protocols = createProtocols([
  httpProtocol,
  httpsProtocol,
  emailProtocol,
  smsProtocol,
]);
const lives = defaultLivesOf(protocols);

const good: readonly [string, string][] = [
  ["http", "http://example.test/hook?x=1"],
  ["http", "http://192.0.2.1:8080/"],
  ["http", "http://[2001:db8::1]/"],
  ["http", "http://user:secret@example.test/"],
  ["http", "http://user@example.test"],
  ["http", "http://:secret@example.test"],
  ["http", "http://us%20er:p%40%2F%23%3Aß@example.test"],
  ["http", "http://example.test/@a?b='c'"],
  ["https", "https://example.test"],
  ["https", "https://bücher.example/hook"],
  ["email", "oncall@example.test"],
  ["email", "o'neil+tag@mail.example.co"],
  ["email", "jane@localhost"],
  ["email", "jane@bücher.example"],
  ["email", "josé@example.test"],
  ["email", "jane@xn--bcher-kva.example"],
  ["email", "jane@почта.рф"],
  ["email", "jane@例え。テスト"],
  ["email", "jane@نامه\u200cای.example"],
  ["sms", "+491700000000"],
  ["sms", "+15550100001"],
];

const bad: readonly [string, unknown, reason: RegExp][] = [
  ["http", "https://example.test", /; it does not start with http:\/\/\.$/],
  ["http", "HTTP//example.test", /it does not start with http/],
  ["http", "", /it does not start with http/],
  ["http", " http://example.test/", /; it begins with a blank\.$/],
  ["http", "http://example.test/ ", /it ends with a blank/],
  ["http", "http://example.test/\r\n", /it ends with a blank/],
  ["http", "http://exa mple.test/", /it has a blank at character 11,/],
  [
    "http",
    "http://example.test/a b",
    /it has a blank at character 22, which is written as %20/,
  ],
  ["http", "http://", /it has no host/],
  ["http", "http://:80/", /it has no host/],
  ["http", "http://user@", /it has no host/],
  [
    "http",
    "http://example.test:65536/",
    /its port is not a number up to 65535/,
  ],
  [
    "http",
    "http://user:pa/ss@example.test/",
    /in a user name or password \/ # \? are written as %2F %23 %3F/,
  ],
  ["http", "http://user:pa#ss@example.test/", /are written as %2F %23 %3F/],
  [
    "http",
    "http://exa<mple.test/",
    /its host is neither a name nor an address/,
  ],
  ["http", "http://[::1", /its host is neither/],
  ["http", "http://1.2.3.456/", /its host is neither/],
  ["http", "http://us%3aer:secret@example.test/", /its user name has a colon/],
  ["http", "http://user:sec%0Aret@example.test/", /a control character/],
  ["http", "http://us%7fer@example.test/", /a control character/],
  [
    "http",
    "http://example.test\\@evil.test/",
    /it has a backslash, which is written as %5C/,
  ],
  ["http", "http://example.test/\0", /it has the character U\+0000/],
  [
    "http",
    `http://example.test/${"x".repeat(2048)}`,
    /it is longer than 2048 characters/,
  ],
  ["https", "http://plain.example.test", /it does not start with https/],
  ["https", 7, /a text is expected/],
  ["https", undefined, /a text is expected/],
  ["email", "nope", /it has no @/],
  ["email", "a@b@c", /what stands before its @ is not 1 to 64/],
  ["email", ".a@example.test", /a dot at an end or two in a row/],
  ["email", "a..b@example.test", /a dot at an end or two in a row/],
  ["email", "@example.test", /what stands before its @ is not 1 to 64/],
  ["email", "jos\u00a0é@example.test", /what stands before its @/],
  ["email", "a@-example.test", /what stands behind its @ is no domain/],
  ["email", "a@bü cher.example", /no domain/],
  ["email", "a@bücher.example:25", /no domain/],
  ["email", "a@bücher.example/x", /no domain/],
  ["email", "a@bü\u00adcher.example", /no domain/],
  ["email", "a@bücher..example", /no domain/],
  ["email", "a@１２７.0.0.1", /no domain/],
  ["email", `a@${"ü".repeat(60)}.example`, /no domain/],
  [
    "email",
    `${"a".repeat(64)}@${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(63)}`,
    /it is longer than 254/,
  ],
  [
    "email",
    "a@example.test\r\nBcc: x@example.test",
    /what stands before its @/,
  ],
  ["email", "Name <a@example.test>", /it has a name beside it/],
  ["email", "a@example.test, b@example.test", /what stands before its @/],
  ["sms", "abc", /it does not start with \+/],
  ["sms", "491700000000", /it does not start with \+/],
  ["sms", "+0491700000", /does not begin with 0/],
  ["sms", "+49 170 0000000", /only digits may follow its \+/],
  ["sms", "+1234567890123456", /6 to 15 digits in all/],
  ["sms", null, /a text is expected/],
];

for (const [protocol, endpoint] of good) {
  test(`${endpoint} is a good ${protocol} endpoint`, () => {
    assert.equal(checkEndpoint(protocols.check(protocol), endpoint), endpoint);
  });
}

for (const [protocol, endpoint, reason] of bad) {
  test(`${JSON.stringify(endpoint)?.slice(0, 60)} is refused for ${protocol}, with the reason`, () => {
    assert.throws(
      () => checkEndpoint(protocols.check(protocol), endpoint),
      (error) => {
        assert.ok(error instanceof CarillonError);
        assert.equal(error.code, "ENDPOINT_INVALID");
        assert.match(error.message, reason);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      },
    );
  });
}

test("unknown protocols are refused with the known ones named", () => {
  for (const protocol of ["pigeon", "", "HTTP", 7, null, undefined]) {
    assert.throws(() => protocols.check(protocol), {
      code: "PROTOCOL_INVALID",
      message: /http, https, email, sms/,
    });
  }
});

test("protocols of SMN that nothing is delivered by are said to be so", () => {
  assert.throws(() => protocols.check("dingding"), {
    code: "PROTOCOL_INVALID",
    message:
      "Nothing is delivered by the protocol dingding here yet: use one of http, https, email, sms.",
  });
});

test("custom headers are kept in lower case", () => {
  assert.deepEqual(
    checkExtension(protocols.check("https"), { header: { "X-Team": "ops" } }),
    {
      header: { "x-team": "ops" },
    },
  );
});

for (const [header, reason] of [
  [{ "x-ok": "1", "X Bad": "secret" }, /; "X Bad" does not\.$/],
  [{ "x-smn-type": "secret" }, /"x-smn-type" does not/],
  [{ [`x-${"é".repeat(99)}`]: "secret" }, /"x-é{61}…" does not/],
  [{ "x-ok": "1", "x-team": 7 }, /the value of x-team is not text/],
  [
    { "x-ok": "1", "x-team": "secret é" },
    /that of x-team has the character U\+00E9 at position 8\.$/,
  ],
  [{ "x-team": "a\nsecret" }, /that of x-team has the character U\+000A at/],
  [{ "x-team": "secret 👋" }, /that of x-team has the character U\+1F44B at/],
  [{ "x-team": "secret", "X-Team": "secret" }, /"X-Team" is there twice/],
] as const) {
  test(`a refused header is named: ${reason.source}`, () => {
    assert.throws(
      () => checkExtension(protocols.check("http"), { header }),
      (error) => {
        assert.ok(error instanceof Error);
        assert.match(error.message, reason);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      },
    );
  });
}

test("headers that could forge or break a request are refused", () => {
  const headers: readonly unknown[] = [
    { "x-smn-topic-urn": "forged" },
    { host: "example.test" },
    { "x-a": "line\r\nx-b: 2" },
    { "x-a": "é" },
    { "x-a": 7 },
    { "x-a": "1", "X-A": "2" },
    { "x-a": "v".repeat(1024) },
    Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`x-${i}`, "v"])),
    [],
    "x-a: 1",
  ];
  for (const header of headers) {
    assert.throws(() => checkExtension(protocols.check("http"), { header }), {
      code: "SUBSCRIPTION_INVALID",
    });
  }
  assert.throws(
    () => checkExtension(protocols.check("email"), { header: { "x-a": "1" } }),
    {
      code: "SUBSCRIPTION_INVALID",
    },
  );
});

test("only texts ask for a code, and a flag is true or false for all", () => {
  const sms = protocols.check("sms");
  const asked = { verificationCodeEnabled: true };
  assert.deepEqual(checkExtension(sms, asked), asked);
  for (const { name } of protocols.all) {
    const protocol = protocols.check(name);
    if (name !== "sms") assert.deepEqual(checkExtension(protocol, asked), {});
    assert.throws(
      () => checkExtension(protocol, { verificationCodeEnabled: 1 }),
      { code: "SUBSCRIPTION_INVALID" },
    );
  }
});

test("the default lives", () => {
  assert.deepEqual(lives, {
    http: 72 * 3600,
    https: 72 * 3600,
    email: 72 * 3600,
    sms: 4 * 3600,
    "sms otp": 600,
  });
});

for (const [protocol, endpoint, inLogs, inRecords] of [
  [
    "http",
    "http://u:p@a.test/x?y",
    "http://a.test/***",
    "http://***@a.test/x?***",
  ],
  [
    "https",
    "https://a.test:1/x?y",
    "https://a.test:1/***",
    "https://a.test:1/x?***",
  ],
  ["email", "ann@example.test", "a***@example.test", "ann@example.test"],
  ["sms", "+491700000000", "+49***000", "+491700000000"],
] as const) {
  test(`an endpoint of ${protocol} is masked in logs, its secrets in records`, () => {
    assert.equal(protocols.maskEndpoint(protocol, endpoint), inLogs);
    assert.equal(protocols.maskSecrets(protocol, endpoint), inRecords);
  });
}

test("the default lives outlast the schedules where retrying costs nothing", () => {
  const longest = ({ delaysMs, jitter }: typeof defaultRetryPolicy) =>
    (delaysMs.reduce((sum, ms) => sum + ms, 0) * (1 + jitter)) / 1000;
  for (const protocol of ["http", "https", "email"] as const) {
    assert.ok(longest(defaultRetryPolicy) < (lives[protocol] ?? 0));
    assert.ok(longest(smnRetryPolicy) < 3600);
  }
  // What the documentation says of them.
  assert.deepEqual(
    [defaultRetryPolicy, smnRetryPolicy].map((policy) => [
      policy.delaysMs.reduce((sum, ms) => sum + ms, 0) / 1000,
      Math.round(longest(policy)),
    ]),
    [
      [160_955, 193_146],
      [1085, 1302],
    ],
  );
});
