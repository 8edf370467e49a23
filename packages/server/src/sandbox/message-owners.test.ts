/** The sandbox of the real service, with two projects beside each other. */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { loadConfig } from "../config.ts";
import { serve } from "../serve.ts";

test("projects see and empty their own phones, mails and webhooks", async (t) => {
  const { as, byOperator, url } = await start(t);
  const one = await as("one");
  const two = await as("two");
  for (const each of [one, two]) {
    const topics = `/v2/${each.projectId}/notifications/topics`;
    const { topic_urn } = await each.ask("POST", topics, { name: "alerts" });
    for (const [protocol, endpoint] of [
      ["sms", "+4915112345678"],
      ["email", "ann@example.test"],
      ["http", `${url}/sandbox/webhooks/shared`],
    ]) {
      await each.ask("POST", `${topics}/${topic_urn}/subscriptions`, {
        protocol,
        endpoint,
      });
    }
  }
  // It is of no project: only operators are shown it.
  await fetch(`${url}/sandbox/webhooks/shared`, { method: "POST" });

  const seen = async (ask: Ask) => {
    const { messages } = await ask(
      "GET",
      `${sandbox}/phones/${phone}/messages`,
    );
    const { mails } = await ask("GET", `${sandbox}/mails`);
    const { requests } = await ask("GET", `${sandbox}/webhooks/shared`);
    return [messages.length, mails.length, requests.length];
  };
  await until(async () => String(await seen(byOperator)) === "2,2,3");
  assert.deepEqual(await seen(one.ask), [1, 1, 1]);
  assert.deepEqual(await seen(two.ask), [1, 1, 1]);
  const [request] = (await one.ask("GET", `${sandbox}/webhooks`)).requests;
  assert.match(request.json.topic_urn, new RegExp(`:${one.projectId}:`));
  assert.equal("projectId" in request, false);
  const overview = await one.ask("GET", sandbox);
  assert.deepEqual(
    [overview.phones[0].messages, overview.mails.messages],
    [1, 1],
  );

  await one.ask("POST", `${sandbox}/phones/${phone}/messages`, { text: "Hi" });
  assert.deepEqual(await seen(one.ask), [2, 1, 1]);
  assert.deepEqual(await seen(two.ask), [1, 1, 1]);
  await one.ask("DELETE", `${sandbox}/phones/${phone}/messages`);
  await one.ask("DELETE", sandbox);
  assert.deepEqual(await seen(one.ask), [0, 0, 0]);
  assert.deepEqual(await seen(two.ask), [1, 1, 1]);
  await byOperator("DELETE", sandbox);
  assert.deepEqual(await seen(byOperator), [0, 0, 0]);
});

const sandbox = "/api/v2/sandbox";
const phone = "+4915112345678";

type Ask = (
  method: "GET" | "POST" | "DELETE",
  path: string,
  body?: object,
  // biome-ignore lint/suspicious/noExplicitAny: tests look into all of them
) => Promise<any>;

async function start(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "carillon-sandbox-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const carillon = await serve(
    loadConfig({
      flags: { data: join(folder, "data"), port: 0, sandbox: true },
    }),
  );
  t.after(() => carillon.close());
  const { url, credentials } = carillon;
  assert.ok(credentials);
  const askWith =
    (key: { accessKey: string; secretKey: string }): Ask =>
    async (method, path, body) => {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          authorization: `Basic ${btoa(`${key.accessKey}:${key.secretKey}`)}`,
          "content-type": "application/json",
        },
        ...(body && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      assert.ok(response.ok, `${method} ${path}: ${text}`);
      return text === "" ? undefined : JSON.parse(text);
    };
  const byOperator = askWith(credentials);
  const as = async (name: string) => {
    const { id: projectId } = await byOperator("POST", "/api/v2/projects", {
      name,
    });
    const { id: userId } = await byOperator("POST", "/api/v2/users", {
      name,
      projectIds: [projectId],
    });
    const key = await byOperator("POST", "/api/v2/access-keys", { userId });
    return { projectId, ask: askWith(key) };
  };
  return { url, byOperator, as };
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
