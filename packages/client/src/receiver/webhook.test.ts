import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import * as fc from "fast-check";
import { Webhook } from "standardwebhooks";
import {
  InvalidOptionsError,
  NotificationError,
  type NotificationFault,
} from "../errors.ts";
import { confirmationFields, notificationFields } from "../testing/sender.ts";
import { isVerified } from "./verified.ts";
import { verifyWebhook } from "./webhook.ts";

const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const fields = notificationFields({ subject: "demo" });
const id = fields.message_id ?? "";
const now = Date.UTC(2026, 0, 15, 8, 30);
const options = { key: secret, now: () => now };

interface Sent {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

function signed(body = JSON.stringify(fields), at = now): Sent {
  const signature = new Webhook(secret).sign(id, new Date(at), body);
  return { body, headers: headersWith(signature, at) };
}

function headersWith(signature: string, at = now) {
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at / 1000)),
    "webhook-signature": signature,
  };
}

function fails(fault: NotificationFault) {
  return (error: unknown) => {
    assert.ok(error instanceof NotificationError, String(error));
    assert.equal(error.fault, fault);
    return true;
  };
}

test("answers the content of what npm's standardwebhooks signed", async () => {
  const { body, headers } = signed();
  const expected = {
    type: "Notification",
    messageId: id,
    topicUrn: fields.topic_urn,
    message: "Disk is full ü\n{}",
    timestamp: "2026-01-15T08:30:00Z",
    subject: "demo",
    unsubscribeUrl: undefined,
  };
  const named = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]),
  );
  for (const sent of [body, Buffer.from(body)]) {
    for (const given of [headers, named, new Headers(headers)]) {
      assert.deepEqual(await verifyWebhook(sent, given, options), expected);
    }
  }
});

test("answers a confirmation that may be followed", async () => {
  const body = JSON.stringify(confirmationFields("https://a.example/c"));
  const sent = signed(body);
  const content = await verifyWebhook(sent.body, sent.headers, options);
  assert.equal(content.type, "SubscriptionConfirmation");
  assert.equal(isVerified(content), true);
  assert.equal(isVerified({ ...content }), false);
});

test("verifies ed25519 by the public key", async () => {
  const pair = generateKeyPairSync("ed25519");
  const { x = "" } = pair.publicKey.export({ format: "jwk" });
  const key = `whpk_${Buffer.from(x, "base64url").toString("base64")}`;
  const { body } = signed();
  const text = `${id}.${now / 1000}.${body}`;
  const made = sign(null, Buffer.from(text), pair.privateKey);
  const headers = headersWith(`v1a,${made.toString("base64")}`);
  const verify = (other: string, given = headers) =>
    verifyWebhook(other, given, { ...options, key });
  assert.equal((await verify(body)).messageId, id);
  await assert.rejects(verify(`${body} `), fails("bad-signature"));
  const asHmac = headersWith(`v1,${made.toString("base64")}`);
  await assert.rejects(verify(body, asHmac), fails("bad-signature"));
});

// Of the specification's own library for Go; its body is no message of ours,
// so that it comes as far as the content.
test("the layout of ed25519 is that of the specification's test vector", async () => {
  const at = 1_614_265_330_000;
  const headers = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature":
      "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==",
  };
  const key = "whpk_ZlN4eg7dSSqi0moX9hQUk3orrOouK3QVQSlJa248c/g=";
  await assert.rejects(
    verifyWebhook('{"test": 2432232314}', headers, { key, now: () => at }),
    fails("malformed"),
  );
  await assert.rejects(
    verifyWebhook('{"test": 2432232315}', headers, { key, now: () => at }),
    fails("bad-signature"),
  );
});

test("one signature of several is enough, and one key of several", async () => {
  const { body, headers } = signed();
  const other = `whsec_${Buffer.alloc(32, 8).toString("base64")}`;
  const several = headersWith(
    `v2,xxxx v1a,!!! v1,AAAA ${headers["webhook-signature"]}`,
  );
  await verifyWebhook(body, several, options);
  await verifyWebhook(body, headers, { ...options, key: [other, secret] });
  await assert.rejects(
    verifyWebhook(body, headers, { ...options, key: other }),
    fails("bad-signature"),
  );
});

test("takes what was signed within the tolerance, to either side", async () => {
  for (const seconds of [-300, 300]) {
    const { body, headers } = signed(undefined, now + seconds * 1000);
    await verifyWebhook(body, headers, options);
  }
  for (const seconds of [-301, 301]) {
    const { body, headers } = signed(undefined, now + seconds * 1000);
    await assert.rejects(
      verifyWebhook(body, headers, options),
      fails("bad-time"),
    );
    const wide = { ...options, toleranceSeconds: 301 };
    await verifyWebhook(body, headers, wide);
  }
});

test("whatever is changed of body, id, timestamp or signature is noticed", async () => {
  const sent = signed();
  const body = Buffer.from(sent.body);
  const tolerance = { ...options, toleranceSeconds: Number.MAX_SAFE_INTEGER };
  await fc.assert(
    fc.asyncProperty(
      fc.nat(body.length - 1),
      fc.integer({ min: 1, max: 255 }),
      async (at, bits) => {
        const changed = Buffer.from(body);
        changed[at] = (changed[at] ?? 0) ^ bits;
        await assert.rejects(
          verifyWebhook(changed, sent.headers, tolerance),
          fails("bad-signature"),
        );
      },
    ),
  );
  const names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...names),
      fc.nat(1000),
      fc.integer({ min: 33, max: 126 }),
      async (name, at, code) => {
        const value = sent.headers[name] ?? "";
        const i = at % value.length;
        const changed =
          value.slice(0, i) + String.fromCharCode(code) + value.slice(i + 1);
        // What pads base64 is no part of the signature.
        fc.pre(changed !== value && changed.trim() === changed && i < 46);
        await assert.rejects(
          verifyWebhook(
            sent.body,
            { ...sent.headers, [name]: changed },
            tolerance,
          ),
          NotificationError,
        );
      },
    ),
  );
});

test("refuses requests without the headers, and bodies of other messages", async () => {
  const { body, headers } = signed();
  for (const name of Object.keys(headers)) {
    for (const value of [undefined, "", ["a", "b"]]) {
      await assert.rejects(
        verifyWebhook(body, { ...headers, [name]: value }, options),
        fails("malformed"),
      );
    }
  }
  for (const timestamp of ["-1", "1e9", "x", "1".repeat(16)]) {
    const wrong = { ...headers, "webhook-timestamp": timestamp };
    await assert.rejects(
      verifyWebhook(body, wrong, options),
      fails("malformed"),
    );
  }
  const foreign = signed(
    JSON.stringify({ ...fields, message_id: "f".repeat(32) }),
  );
  await assert.rejects(
    verifyWebhook(foreign.body, foreign.headers, options),
    fails("malformed"),
  );
  const noJson = signed("hello");
  await assert.rejects(
    verifyWebhook(noJson.body, noJson.headers, options),
    fails("malformed"),
  );
});

test("refuses keys that are none", async () => {
  const { body, headers } = signed();
  for (const key of [
    [],
    "",
    "secret",
    "whsec_",
    "whsec_!",
    "whpk_AAAA",
    `whsk_${secret.slice(6)}`,
  ]) {
    await assert.rejects(
      verifyWebhook(body, headers, { key }),
      InvalidOptionsError,
    );
  }
});
