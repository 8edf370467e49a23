import assert from "node:assert/strict";
import { test } from "node:test";
import {
  basicAuthorization,
  checkBasicAuthorization,
  splitCredentials,
} from "./basic-auth.ts";
import { UnauthorizedRequestError } from "./receiver.ts";

const credentials = { user: "žofie", pass: "p:s" };

test("writes a header that it accepts, whatever the case of the scheme", () => {
  const header = basicAuthorization(credentials);
  const expected = Buffer.from("žofie:p:s").toString("base64");
  assert.equal(header, `Basic ${expected}`);
  checkBasicAuthorization(header, credentials);
  checkBasicAuthorization(`basic  ${expected}`, credentials);
});

test("refuses anything else", () => {
  const header = basicAuthorization(credentials);
  const wrong = [
    undefined,
    "",
    "Basic ",
    header.slice(0, -1),
    `${header}x`,
    basicAuthorization({ ...credentials, pass: "p:t" }),
    header.replace("Basic", "Bearer"),
  ];
  for (const given of wrong) {
    assert.throws(
      () => checkBasicAuthorization(given, credentials),
      UnauthorizedRequestError,
    );
  }
});

test("takes credentials out of a URL as they are written", () => {
  const cases = [
    ["http://u:p@h/x", "http://h/x", { user: "u", pass: "p" }],
    ["https://u:p@s@h", "https://h", { user: "u", pass: "p@s" }],
    ["http://u:p%40s@h/", "http://h/", { user: "u", pass: "p%40s" }],
    ["http://u:a:b@h/", "http://h/", { user: "u", pass: "a:b" }],
    ["http://u@h/", "http://h/", undefined],
    ["http://u:@h/", "http://h/", undefined],
    ["http://:p@h/", "http://h/", undefined],
    ["http://h/a@b", "http://h/a@b", undefined],
    ["http://h/?x=u:p@h", "http://h/?x=u:p@h", undefined],
  ] as const;
  for (const [input, url, expected] of cases) {
    assert.deepEqual(splitCredentials(input), { url, credentials: expected });
  }
});
