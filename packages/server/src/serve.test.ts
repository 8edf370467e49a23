/** The real service against receivers that hang: how it starts and stops. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { addMs, type ProjectId, systemClock } from "@carillon/core";
import { openSqliteStore } from "@carillon/storage";
import { loadConfig } from "./config.ts";
import { serve } from "./serve.ts";

test("an abort while it closes ends all that goes out, and what came of it is kept", async (t) => {
  const webhook = await startHanging(t);
  const mailServer = await startHanging(t);
  const carrier = await startHanging(t);
  const probed = await startHanging(t);
  const folder = await temporaryFolder(t);
  const data = join(folder, "data");
  const file = join(folder, "carillon.json");
  const provider = {
    type: "forward-client",
    name: "carrier",
    serverUrl: `http://${carrier.address}/`,
  };
  await writeFile(file, JSON.stringify({ sms: { providers: [provider] } }));
  const carillon = await serve(
    loadConfig({
      file,
      flags: {
        data,
        port: 0,
        allowTargets: ["127.0.0.0/8"],
        smtpUrl: `smtp://${mailServer.address}`,
        httpTimeoutMs: 60_000,
        leaseMs: 600_000,
      },
    }),
  );
  const { credentials, url } = carillon;
  assert.ok(credentials);
  const { accessKey, secretKey, project } = credentials;
  const base = `${url}/v2/${project.id}/notifications`;
  const post = async (path: string, body: object) => {
    const response = await fetch(`${base}/${path}`, {
      method: "POST",
      headers: {
        authorization: `Basic ${btoa(`${accessKey}:${secretKey}`)}`,
        "content-type": "application/json",
      },
      body: JSON.stringify(body),
    });
    assert.ok(response.ok, await response.clone().text());
    return (await response.json()) as Record<string, string>;
  };
  const { topic_urn } = await post("topics", { name: "alerts" });
  // Each is sent its confirmation.
  await post(`topics/${topic_urn}/subscriptions`, {
    protocol: "http",
    endpoint: `http://${webhook.address}/`,
  });
  await post(`topics/${topic_urn}/subscriptions`, {
    protocol: "email",
    endpoint: "ann@example.com",
  });
  await post("sms", { endpoint: "+15550100001", message: "hello" });
  await post(`topics/${topic_urn}/detection`, {
    protocol: "http",
    endpoint: `http://${probed.address}/`,
  });
  const receivers = [webhook, mailServer, carrier, probed];
  await Promise.all(receivers.map(({ connected }) => connected));

  await carillon.close({ signal: AbortSignal.abort() });
  await Promise.all(receivers.map(({ closed }) => closed));

  await using store = await openSqliteStore({
    folder: data,
    // All that was put off is due by then.
    clock: { ...systemClock, now: () => addMs(systemClock.now(), 3_600_000) },
  });
  const lease = { owner: "test", leaseMs: 1000 };
  const { deliveries: due } = await store.claim(lease, {
    kinds: ["delivery"],
    limit: 10,
  });
  assert.deepEqual(
    due
      .map(({ recipient, state, lastAttempt }) => [
        recipient.protocol,
        state,
        lastAttempt?.errorClass,
      ])
      .sort(),
    [
      ["email", "retrying", "interrupted"],
      ["http", "retrying", "interrupted"],
    ],
  );
  const projectId = project.id as ProjectId;
  const { messages } = await store.listMessages(projectId, {}, { limit: 10 });
  const [text] = messages.filter(({ counts }) => counts.unknown === 1);
  assert.ok(text, JSON.stringify(messages.map(({ counts }) => counts)));
  const [delivery] = await store.listDeliveries(text.message.seq, { limit: 1 });
  assert.equal(delivery?.protocol, "sms");
  assert.equal(delivery?.attempts.at(-1)?.errorClass, "interrupted");
});

test("each of two users whose names differ only in case is managed and logs in", async (t) => {
  const data = join(await temporaryFolder(t), "data");
  const config = loadConfig({ flags: { data, port: 0 } });
  const first = await serve(config);
  const { credentials } = first;
  await first.close();
  assert.ok(credentials);
  {
    // From before names were the same in any case.
    using db = new DatabaseSync(join(data, "carillon.db"));
    db.exec(`
      INSERT INTO users (id, name, domain_id, password_hash, role, disabled)
      SELECT 'u1', 'Ann', id, '', 'member', 0 FROM domains UNION ALL
      SELECT 'u2', 'ann', id, '', 'member', 0 FROM domains;
    `);
  }
  await using carillon = await serve(config);
  const send = (method: string, path: string, body: object) =>
    fetch(`${carillon.url}${path}`, {
      method,
      headers: {
        authorization: `Basic ${btoa(`${credentials.accessKey}:${credentials.secretKey}`)}`,
        "content-type": "application/json",
      },
      body: JSON.stringify(body),
    });
  const logIn = async (name: string, password: string) => {
    const user = { name, domain: { name: "Default" }, password };
    const response = await send("POST", "/v3/auth/tokens", {
      auth: { identity: { methods: ["password"], password: { user } } },
    });
    return response.status;
  };
  for (const [id, name] of [
    ["u1", "Ann"],
    ["u2", "ann"],
  ] as const) {
    const path = `/api/v2/users/${id}`;
    const rotated = await send("POST", `${path}/rotate`, {});
    const { password } = (await rotated.json()) as { password: string };
    assert.equal(await logIn(name, password), 201, name);
    const disabled = await send("PATCH", path, { enabled: false });
    assert.equal(disabled.status, 200);
    assert.equal(await logIn(name, password), 401, name);
  }
});

test("in debug mails are not sent, and end so", async (t) => {
  const data = join(await temporaryFolder(t), "data");
  const flags = { data, port: 0, emailBackend: "debug" };
  await using carillon = await serve(loadConfig({ flags }));
  const { accessKey, secretKey } = carillon.credentials ?? assert.fail();
  const call = async (path: string, body?: object) => {
    const response = await fetch(`${carillon.url}/api/v2/${path}`, {
      method: body ? "POST" : "GET",
      headers: {
        authorization: `Basic ${btoa(`${accessKey}:${secretKey}`)}`,
        "content-type": "application/json",
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    assert.ok(response.ok, await response.clone().text());
    return response;
  };
  const sent = await call("messages", {
    audience: {
      kind: "direct",
      recipients: [{ protocol: "email", endpoint: "ann@example.com" }],
    },
    text: "hello",
  });
  const { id } = (await sent.json()) as { id: string };
  let state: string | undefined;
  for (let n = 0; n < 500 && state !== "debug"; n++) {
    const listed = await call(`messages/${id}/deliveries`);
    const { deliveries } = (await listed.json()) as {
      deliveries: { state: string }[];
    };
    state = deliveries[0]?.state;
  }
  assert.equal(state, "debug");
});

test("at localhost it listens on 127.0.0.1", async (t) => {
  const data = join(await temporaryFolder(t), "data");
  const flags = { data, host: "localhost", port: 0 };
  await using carillon = await serve(loadConfig({ flags }));
  const { hostname, port } = new URL(carillon.url);
  assert.equal(hostname, "localhost");
  const response = await fetch(`http://127.0.0.1:${port}/healthz`);
  assert.equal(response.status, 200);
});

test("an abort during the start leaves a folder that can be started from", async (t) => {
  const data = join(await temporaryFolder(t), "data");
  const config = loadConfig({ flags: { data, port: 0 } });
  const reason = new Error("stop");
  await assert.rejects(
    serve(config, { signal: AbortSignal.abort(reason) }),
    (error) => error === reason,
  );
  const stop = new AbortController();
  const starting = serve(config, { signal: stop.signal });
  stop.abort(reason);
  await assert.rejects(starting, (error) => error === reason);
  // Neither the lock nor the socket is left, and the signal is without effect.
  const running = new AbortController();
  await using carillon = await serve(config, { signal: running.signal });
  running.abort();
  assert.equal((await fetch(`${carillon.url}/readyz`)).status, 200);
});

interface Hanging {
  /** `host:port` */
  readonly address: string;
  /** Resolves once there was a connection. */
  readonly connected: Promise<void>;
  /** Resolves once it is closed again. */
  readonly closed: Promise<void>;
}

/** A receiver that takes connections, reads, and never says a word. */
async function startHanging(t: TestContext): Promise<Hanging> {
  const connected = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("close", () => closed.resolve());
    socket.resume();
    connected.resolve();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    connected: connected.promise,
    closed: closed.promise,
  };
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "carillon-open-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
