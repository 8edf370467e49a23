import assert from "node:assert/strict";
import { test } from "node:test";
import {
  startTestServer,
  type TestServer,
} from "../../../test-support/test-server.ts";

test("a subscription is signed as SMN does unless another scheme is chosen", async () => {
  await using server = await startTestServer();
  const path = await subscribe(server);
  const { status, body } = await server.call("GET", path);
  assert.equal(status, 200);
  assert.deepEqual(body, { scheme: "smn", keys: [] });
});

test("choosing a scheme shows the secret, reading it does not, revealing does", async () => {
  await using server = await startTestServer();
  const path = await subscribe(server);
  const chosen = await server.call("PUT", path, {
    scheme: "standard-webhooks",
  });
  assert.equal(chosen.status, 200);
  const [key] = chosen.body.keys;
  assert.match(key.secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  assert.deepEqual(chosen.body, {
    scheme: "standard-webhooks",
    keys: [{ number: 1, algorithm: "hmac-sha256", secret: key.secret }],
  });
  const { body: shown } = await server.call("GET", path);
  assert.deepEqual(shown.keys, [{ number: 1, algorithm: "hmac-sha256" }]);
  const { body: revealed } = await server.call("POST", `${path}/reveal`);
  assert.deepEqual(revealed, chosen.body);
});

test("setting the same again ends the keys that may have leaked", async () => {
  await using server = await startTestServer();
  const path = await subscribe(server);
  const choice = { scheme: "standard-webhooks" };
  const { body: leaked } = await server.call("PUT", path, choice);
  await server.call("POST", `${path}/rotate`, {});
  const { body: again } = await server.call("PUT", path, choice);
  const [fresh] = again.keys;
  assert.match(fresh.secret, /^whsec_/);
  assert.notEqual(fresh.secret, leaked.keys[0].secret);
  assert.deepEqual(again.keys, [
    { number: 3, algorithm: "hmac-sha256", secret: fresh.secret },
  ]);
  const { body: revealed } = await server.call("POST", `${path}/reveal`);
  assert.deepEqual(revealed, again);
});

test("a rotation answers both keys; the earlier one ends after the overlap", async () => {
  await using server = await startTestServer();
  const path = await subscribe(server);
  await server.call("PUT", path, { scheme: "standard-webhooks" });
  const { status, body } = await server.call("POST", `${path}/rotate`, {
    algorithm: "ed25519",
    overlapSeconds: 60,
  });
  assert.equal(status, 200);
  const [newest, earlier] = body.keys;
  assert.match(newest.publicKey, /^whpk_/);
  assert.equal(newest.secret, undefined);
  assert.match(earlier.secret, /^whsec_/);
  assert.equal(Date.parse(earlier.until), server.clock.now() + 60_000);
  server.clock.advance(60_000);
  const { body: later } = await server.call("GET", path);
  assert.deepEqual(later.keys, [newest]);
});

test("a rotation overlaps for a day unless it says otherwise", async () => {
  await using server = await startTestServer();
  const path = await subscribe(server);
  await server.call("PUT", path, { scheme: "standard-webhooks" });
  const { status, body } = await server.call("POST", `${path}/rotate`, {});
  assert.equal(status, 200);
  const day = 24 * 3_600_000;
  assert.equal(Date.parse(body.keys[1].until), server.clock.now() + day);
});

test("subscribes with a signature; the secret is there to be revealed", async () => {
  await using server = await startTestServer();
  const topicUrn = await createTopic(server);
  const asked = {
    protocol: "https",
    endpoint: "https://example.com/signed",
    remark: "Ops",
    extension: { header: { "x-team": "blue" } },
    signature: { scheme: "standard-webhooks", algorithm: "hmac-sha256" },
  };
  const url = `/api/v2/topics/${topicUrn}/subscriptions`;
  const { status, body } = await server.call("POST", url, asked);
  assert.equal(status, 201);
  const signature = {
    scheme: "standard-webhooks",
    keys: [{ number: 1, algorithm: "hmac-sha256" }],
  };
  assert.equal(body.created, true);
  assert.deepEqual(body.signature, signature);
  const path = `/api/v2/subscriptions/${body.urn}/signature`;
  assert.deepEqual((await server.call("GET", path)).body, signature);
  const again = await server.call("POST", url, {
    ...asked,
    signature: { scheme: "none" },
  });
  assert.equal(again.status, 200);
  assert.deepEqual(again.body, { ...body, created: false });
  const { created: _, ...kept } = body;
  const { body: shown } = await server.call(
    "GET",
    `/api/v2/subscriptions/${body.urn}`,
  );
  assert.deepEqual(shown, kept);
  const { body: list } = await server.call("GET", url);
  assert.deepEqual(list.subscriptions, [kept]);
  const { body: smn } = await server.call(
    "GET",
    `${server.base}/topics/${topicUrn}/subscriptions`,
  );
  const [listed] = smn.subscriptions;
  assert.equal(listed.remark, "Ops");
  assert.equal("signature" in listed, false);
});

test("what is wrong with a signature is refused and changes nothing", async () => {
  await using server = await startTestServer();
  const path = await subscribe(server);
  const mail = await subscribe(server, "email", "ops@example.com");
  const refused: ["PUT" | "POST", string, object, number, string][] = [
    ["PUT", path, {}, 400, "SIGNATURE_INVALID"],
    ["PUT", path, { scheme: 1 }, 400, "SIGNATURE_INVALID"],
    ["PUT", path, { scheme: "rsa" }, 400, "SIGNATURE_INVALID"],
    [
      "PUT",
      path,
      { scheme: "standard-webhooks", algorithm: "md5" },
      400,
      "SIGNATURE_INVALID",
    ],
    ["PUT", mail, { scheme: "none" }, 400, "SIGNATURE_INVALID"],
    ["POST", `${path}/rotate`, {}, 409, "SIGNATURE_CONFLICT"],
    [
      "POST",
      `${path}/rotate`,
      { overlapSeconds: 1.5 },
      400,
      "SIGNATURE_INVALID",
    ],
    [
      "PUT",
      path.replace(/[0-9a-f](?=\/signature)/, "x"),
      { scheme: "none" },
      400,
      "SUBSCRIPTION_URN_INVALID",
    ],
    [
      "PUT",
      path.replace(/[0-9a-f]{32}(?=\/signature)/, "0".repeat(32)),
      { scheme: "none" },
      404,
      "SUBSCRIPTION_NOT_FOUND",
    ],
  ];
  for (const [method, url, body, status, code] of refused) {
    const answer = await server.call(method, url, body);
    assert.deepEqual(
      [answer.status, answer.body.code],
      [status, code],
      `${method} ${url} ${JSON.stringify(body)}`,
    );
  }
  assert.deepEqual((await server.call("GET", path)).body.scheme, "smn");
});

test("of two rotations at once one is refused", async () => {
  await using server = await startTestServer();
  const path = await subscribe(server);
  await server.call("PUT", path, { scheme: "standard-webhooks" });
  const { findSubscription } = server.store;
  const bothRead = Promise.withResolvers<void>();
  let reads = 0;
  const findTogether: typeof findSubscription = async (...key) => {
    const found = await findSubscription(...key);
    if (++reads === 2) bothRead.resolve();
    await bothRead.promise;
    return found;
  };
  Object.assign(server.store, { findSubscription: findTogether });
  const both = await Promise.all([
    server.call("POST", `${path}/rotate`, {}),
    server.call("POST", `${path}/rotate`, {}),
  ]);
  assert.deepEqual(both.map(({ status }) => status).toSorted(), [200, 409]);
  const { body } = await server.call("GET", path);
  assert.equal(body.keys.length, 2);
});

test("whoever was shown a secret stands in the audit log, the secret does not", async () => {
  await using server = await startTestServer();
  const path = await subscribe(server);
  const { body } = await server.call("PUT", path, {
    scheme: "standard-webhooks",
  });
  await server.call("POST", `${path}/rotate`, { overlapSeconds: 5 });
  await server.call("POST", `${path}/reveal`);
  await server.clock.advanceSettled(60_000);
  const { body: log } = await server.call("GET", "/api/v2/audit");
  const entries: { action: string; target: string; details: object }[] =
    log.entries.toReversed();
  assert.deepEqual(
    entries.map(({ action, details }) => [action, details]),
    [
      ["signature.set", { scheme: "standard-webhooks" }],
      ["signature.rotate", { overlapSeconds: "5" }],
      ["signature.reveal", undefined],
    ],
  );
  assert.ok(entries[0]?.target.includes(path.split("/")[4] ?? "?"));
  assert.ok(!JSON.stringify(log).includes(body.keys[0].secret));
  assert.doesNotMatch(JSON.stringify(log), /whsec_/);
});

test("a subscription of any protocol is deleted, which stands in the audit log", async () => {
  await using server = await startTestServer();
  for (const [protocol, endpoint] of [
    ["https", "https://example.com/hook"],
    ["pull", "device"],
  ] as const) {
    const topicUrn = await createTopic(server);
    const { body } = await server.call(
      "POST",
      `/api/v2/topics/${topicUrn}/subscriptions`,
      { protocol, endpoint },
    );
    const path = `/api/v2/subscriptions/${body.urn}`;
    assert.equal((await server.call("DELETE", path)).status, 204);
    for (const method of ["GET", "DELETE"] as const) {
      const gone = await server.call(method, path);
      assert.deepEqual(
        [gone.status, gone.body.code],
        [404, "SUBSCRIPTION_NOT_FOUND"],
      );
    }
  }
  await server.clock.advanceSettled(60_000);
  const { body: log } = await server.call("GET", "/api/v2/audit");
  assert.deepEqual(
    log.entries.map(({ action }: { action: string }) => action),
    ["subscription.delete", "subscription.delete"],
  );
});

async function createTopic(server: TestServer): Promise<string> {
  await server.call("POST", `${server.base}/topics`, { name: "alerts" });
  return server.topicUrn("alerts");
}

/** Answers the path of the subscription's signature. */
async function subscribe(
  server: TestServer,
  protocol = "https",
  endpoint = "https://example.com/hook",
): Promise<string> {
  const topicUrn = await createTopic(server);
  const { body } = await server.call(
    "POST",
    `${server.base}/topics/${topicUrn}/subscriptions`,
    { protocol, endpoint },
  );
  return `/api/v2/subscriptions/${body.subscription_urn}/signature`;
}
