import assert from "node:assert/strict";
import { test } from "node:test";
import { isSigned, type TwilioRequest } from "./signature.ts";

const token = "test-auth-token";
const none = new Uint8Array();

interface Vector {
  readonly token: string;
  readonly request: TwilioRequest;
  readonly signature: string;
}

/** A form as it would have come. */
function form(
  url: string,
  fields: Record<string, string> | [string, string][],
): TwilioRequest {
  const given = new URLSearchParams(fields);
  const body = new TextEncoder().encode(given.toString());
  return { url, fields: given, body };
}

const statusUrl = "https://sms.example.com/24fb0d6963f/twilio/status";
const status = {
  To: "+420777123456",
  SmsSid: "SM00000000000000000000000000000001",
  MessageSid: "SM00000000000000000000000000000001",
  MessageStatus: "delivered",
  From: "+15005550006",
  ApiVersion: "2010-04-01",
  AccountSid: "AC00000000000000000000000000000001",
};

const vectors: Readonly<Record<string, Vector>> = {
  "a call with a query": {
    token: "12345",
    request: form("https://mycompany.com/myapp.php?foo=1&bar=2", {
      CallSid: "CA1234567890ABCDE",
      Caller: "+12349013030",
      From: "+12349013030",
      Digits: "1234",
      To: "+18005551212",
    }),
    signature: "0/KCTR6DLpKmkAf8muzZqo1nDgQ=",
  },
  "a status": {
    token,
    request: form(statusUrl, status),
    signature: "9QLRzXVEbpJHm3YiF1L9rAjhnMA=",
  },
  "a status whose URL has the default port here only": {
    token,
    request: form(statusUrl.replace(".com", ".com:443"), status),
    signature: "9QLRzXVEbpJHm3YiF1L9rAjhnMA=",
  },
  "a status whose fields came twice": {
    token,
    request: form(statusUrl, [
      ...Object.entries(status),
      ...Object.entries(status),
    ]),
    signature: "9QLRzXVEbpJHm3YiF1L9rAjhnMA=",
  },
  "a JSON body": {
    token,
    request: {
      url: "https://sms.example.com/x?bodySHA256=015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862",
      body: new TextEncoder().encode('{"a":1}'),
    },
    signature: "67Dd5uL1V5WUYuiCnCrgFQe1cDc=",
  },
};

for (const [name, vector] of Object.entries(vectors)) {
  test(`knows the signature of ${name}, and of nothing else`, async () => {
    const { request, signature } = vector;
    assert.equal(await isSigned(request, signature, vector.token), true);
    const wrong: readonly [TwilioRequest, string, string][] = [
      [request, signature, "another token"],
      [request, "", vector.token],
      [request, signature.toLowerCase(), vector.token],
      [{ ...request, url: `${request.url}&x=1` }, signature, vector.token],
      [
        { ...request, url: request.url.replace("https", "http") },
        signature,
        vector.token,
      ],
    ];
    for (const given of wrong) assert.equal(await isSigned(...given), false);
  });
}

test("a changed field, body or port is another request", async () => {
  const changed = form(statusUrl, { ...status, MessageStatus: "failed" });
  const signature = "9QLRzXVEbpJHm3YiF1L9rAjhnMA=";
  assert.equal(await isSigned(changed, signature, token), false);
  const port = form(statusUrl.replace(".com", ".com:8443"), status);
  assert.equal(await isSigned(port, signature, token), false);
  const { request } = vectors["a JSON body"] as Vector;
  const body = new TextEncoder().encode('{"a":2}');
  const ofJson = "67Dd5uL1V5WUYuiCnCrgFQe1cDc=";
  assert.equal(await isSigned({ ...request, body }, ofJson, token), false);
});

test("a body that no signature covers is refused, and so is no URL", async () => {
  const url = "https://sms.example.com/x";
  const body = new TextEncoder().encode("{}");
  const { createHmac } = await import("node:crypto");
  const signature = createHmac("sha1", token).update(url).digest("base64");
  assert.equal(await isSigned({ url, body: none }, signature, token), true);
  assert.equal(await isSigned({ url, body }, signature, token), false);
  assert.equal(
    await isSigned({ url: "/x", body: none }, signature, token),
    false,
  );
});
