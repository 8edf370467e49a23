import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../connection.ts";
import { AuthenticationError, InvalidOptionsError } from "../errors.ts";
import { refusal, serve } from "../testing/serve.ts";
import { signRequest } from "./signature.ts";

const projectId = "0f3c5d1e2a4b46788899aabbccddeeff";
const keys = { accessKey: "AK", secretKey: "SK", projectId };

test("signs what is on the wire", async () => {
  await using server = await serve(() => ({ body: { topics: [] } }));
  const { smn } = connect({ endpoint: server.url, ...keys });
  await Array.fromAsync(smn.topics({ fuzzyName: "it's (a) *" }));
  const [request] = server.requests;
  assert.ok(request);
  assert.equal(request.path, `/v2/${projectId}/notifications/topics`);
  assert.equal(request.query.get("fuzzy_name"), "it's (a) *");
  const { authorization } = request.headers;
  assert.equal(
    authorization,
    await signRequest(
      {
        method: "GET",
        url: `${server.url}${request.path}?${request.query}`,
        body: request.text,
        headers: Object.fromEntries(
          ["content-type", "host", "x-project-id", "x-sdk-date"].map((name) => [
            name,
            String(request.headers[name]),
          ]),
        ),
      },
      "AK",
      "SK",
    ),
  );
});

test("credentials that no header takes are refused, and not quoted", async () => {
  const endpoint = "http://127.0.0.1:1";
  const { accessKey, secretKey } = { accessKey: "AK", secretKey: "SK" };
  for (const wrong of ["…", "a b", "a\nb", "ключ"]) {
    for (const [option, options] of [
      ["accessKey", { accessKey: wrong, secretKey }],
      ["accessKey", { accessKey: wrong, secretKey, scheme: "basic" }],
      ["securityToken", { accessKey, secretKey, securityToken: wrong }],
      ["token", { token: wrong, projectId }],
    ] as const) {
      assert.throws(
        () => connect({ endpoint, ...options }),
        (error) =>
          error instanceof InvalidOptionsError &&
          error.message.includes(`Expected ${option} to be`) &&
          !error.message.includes(wrong),
      );
    }
    const { smn } = connect({ endpoint, projectId, token: () => wrong });
    await assert.rejects(
      Array.fromAsync(smn.topics()),
      (error) => error instanceof InvalidOptionsError,
    );
  }
});

test("signs the token of temporary keys", async () => {
  await using server = await serve(() => ({ body: { topics: [] } }));
  const { smn } = connect({
    endpoint: server.url,
    ...keys,
    securityToken: "temporary",
  });
  await Array.fromAsync(smn.topics());
  const { headers } = server.requests[0] ?? assert.fail();
  assert.equal(headers["x-security-token"], "temporary");
  assert.match(String(headers.authorization), /;x-security-token, Signature=/);
});

test("takes endpoints with version and project too", async () => {
  await using server = await serve(() => ({ body: { topics: [] } }));
  for (const end of ["/", "/v2", "/v2/", `/v2/${projectId}`]) {
    const { smn } = connect({ endpoint: server.url + end, ...keys });
    await Array.fromAsync(smn.topics());
  }
  const paths = new Set(server.requests.map(({ path }) => path));
  assert.deepEqual([...paths], [`/v2/${projectId}/notifications/topics`]);
});

test("asks once when a signature is refused", async () => {
  await using server = await serve(() => refusal(401, "APIGW.0301"));
  const { smn } = connect({ endpoint: server.url, ...keys });
  await assert.rejects(smn.getTopic("urn:x"), (error) => {
    assert.ok(error instanceof AuthenticationError);
    assert.equal(error.smnCode, "APIGW.0301");
    return true;
  });
  assert.equal(server.requests.length, 1);
});

test("refuses options that cannot work", () => {
  const endpoint = "https://smn.example.test";
  for (const options of [
    { ...keys, endpoint: "smn.example.test" },
    { ...keys, endpoint: "ftp://smn.example.test" },
    { ...keys, endpoint: "https://me:secret@smn.example.test" },
    { ...keys, endpoint, secretKey: "" },
    { ...keys, endpoint, projectId: "../other" },
  ]) {
    assert.throws(() => connect(options), InvalidOptionsError);
  }
});

test("sends keys as user and password where that is asked for", async () => {
  await using server = await serve(() => ({ body: { message_id: "m" } }));
  const { smn } = connect({
    endpoint: server.url,
    ...keys,
    secretKey: "sécret",
    scheme: "basic",
  });
  await smn.sendSms("+4915112345678", "hi");
  const { headers } = server.requests[0] ?? assert.fail();
  const expected = Buffer.from("AK:sécret").toString("base64");
  assert.equal(headers.authorization, `Basic ${expected}`);
  assert.equal(headers["content-type"], "application/json");
  assert.equal(headers["x-sdk-date"], undefined);
});

for (const scheme of ["basic", "signature"] as const) {
  test(`asks once for the key's project (${scheme})`, async () => {
    await using server = await serve(({ path }) => ({
      body: path === "/api/v2/whoami" ? { projectId } : { topics: [] },
    }));
    const { smn } = connect({
      endpoint: `${server.url}/v2`,
      accessKey: "AK",
      secretKey: "SK",
      scheme,
    });
    await Promise.all([
      Array.fromAsync(smn.topics()),
      Array.fromAsync(smn.topics()),
    ]);
    const topics = `/v2/${projectId}/notifications/topics`;
    assert.deepEqual(
      server.requests.map(({ path }) => path),
      ["/api/v2/whoami", topics, topics],
    );
    assert.equal(server.requests[0]?.headers["x-project-id"], undefined);
  });
}

test("keys that are refused when asking for the project are refused", async () => {
  await using server = await serve(() => refusal(401, "APIGW.0301"));
  const { smn } = connect({
    endpoint: server.url,
    accessKey: "AK",
    secretKey: "SK",
  });
  await assert.rejects(
    smn.sendSms("+4915112345678", "hi"),
    AuthenticationError,
  );
  assert.equal(server.requests.length, 1);
});
