/** Runs the programs in `examples/` that use this package. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Program } from "./testing/program.ts";
import {
  confirmationFields,
  createSender,
  notificationFields,
  type Sender,
} from "./testing/sender.ts";
import { refusal, serve } from "./testing/serve.ts";

const keys = {
  CARILLON_PROJECT_ID: "0f3c5d1e2a4b46788899aabbccddeeff",
  CARILLON_ACCESS_KEY: "AK",
  CARILLON_SECRET_KEY: "SK",
};

test("publish says which message is on its way", async () => {
  await using server = await serve(({ path }) => ({
    body: path.endsWith("/publish")
      ? { message_id: "m1" }
      : { topic_urn: "urn:smn:local:p:alerts" },
  }));
  await using program = new Program(
    "publish/publish.ts",
    ["alerts", "Disk is full"],
    { CARILLON_URL: server.url, ...keys },
  );
  assert.match(await program.line(), /^Message m1 .* urn:smn:local:p:alerts$/);
  assert.deepEqual(await program.exit(), { code: 0, errors: "" });
  assert.deepEqual(server.requests[1]?.json, { message: "Disk is full" });
});

test("publish takes the key's project when none is given", async () => {
  await using server = await serve(({ path }) => ({
    body: path.endsWith("/whoami")
      ? { projectId: keys.CARILLON_PROJECT_ID }
      : { topic_urn: "urn:smn:local:p:alerts", message_id: "m1" },
  }));
  await using program = new Program("publish/publish.ts", ["alerts", "x"], {
    CARILLON_URL: server.url,
    ...keys,
    CARILLON_PROJECT_ID: "",
  });
  assert.match(await program.line(), /^Message m1 /);
  assert.deepEqual(await program.exit(), { code: 0, errors: "" });
});

test("publish says what is wrong", async () => {
  await using server = await serve(() => refusal(403, "SMN.0001"));
  await using program = new Program("publish/publish.ts", ["alerts", "x"], {
    CARILLON_URL: server.url,
    ...keys,
  });
  const { code, errors } = await program.exit();
  assert.equal(code, 1);
  assert.match(errors, /SMN\.0001/);
});

for (const name of ["receiver-node-http", "receiver-fastify"]) {
  test(`${name} confirms, prints and refuses`, async () => {
    let isCertificateThere = false;
    let sender: Sender | undefined;
    await using server = await serve(({ path }) => {
      if (path === "/confirm") return { body: { subscription_urn: "u" } };
      return isCertificateThere && path === "/smn/SMN_x.pem"
        ? { body: sender?.certificate }
        : { status: 503 };
    });
    const signingCertUrl = `${server.url}/smn/SMN_x.pem`;
    sender = createSender({ signingCertUrl });
    await using program = new Program(`${name}/receiver.ts`, [], {
      CARILLON_URL: server.url,
      PORT: "0",
    });
    const url = (await program.line()).replace("Listening on ", "");
    const post = async (body: unknown) =>
      (await fetch(url, { method: "POST", body: JSON.stringify(body) })).status;

    const invitation = sender.sign(confirmationFields(`${server.url}/confirm`));
    assert.equal(await post(invitation), 503);
    isCertificateThere = true;
    assert.equal(await post(invitation), 204);
    assert.match(await program.line(), /^Subscribed to urn:smn:/);
    assert.equal(server.requests.at(-1)?.path, "/confirm");

    const notification = sender.sign(notificationFields({ message: "hello" }));
    assert.equal(await post({ ...notification, message: "forged" }), 403);
    assert.equal(await post(notification), 204);
    assert.equal(await program.line(), `${notification.message_id}: hello`);

    const stranger = createSender({
      signingCertUrl: "https://evil.example/SMN_x.pem",
    });
    assert.equal(await post(stranger.sign(notificationFields())), 403);
    assert.equal(await post("no notification"), 403);
  });
}
