import assert from "node:assert/strict";
import { test } from "node:test";
import { CarillonError, deliveryStates } from "@carillon/core";
import { MemoryStore } from "@carillon/testing";
import { startTestServer } from "../../../test-support/test-server.ts";
import {
  type MetricDefinition,
  metricNames,
  metrics,
  processMetrics,
} from "../../metrics/metric-table.ts";
import { version } from "../../version.ts";

async function metricsOf(server: {
  app: { inject(o: { url: string }): Promise<{ body: string }> };
}): Promise<Map<string, number>> {
  const { body } = await server.app.inject({ url: "/metrics" });
  const samples = body
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line): [string, number] => {
      const cut = line.lastIndexOf(" ");
      return [line.slice(0, cut), Number(line.slice(cut + 1))];
    });
  return new Map(samples);
}

test("lives, and says whether it takes work", async () => {
  await using server = await startTestServer({ unstarted: true });
  const ask = async (url: string) => (await server.app.inject({ url })).json();
  const starting = await server.app.inject({ url: "/readyz" });
  assert.equal(starting.statusCode, 503);
  assert.equal(starting.json().reason, "STARTING");
  const { instance, ...health } = await ask("/healthz");
  assert.deepEqual(health, { status: "ok" });
  assert.match(instance, /^[0-9a-f]{16}$/);
  assert.equal((await ask("/healthz")).instance, instance);
  await server.start();
  assert.deepEqual(await ask("/readyz"), { status: "ready" });
});

test("says whether the proxy that passed a request on is trusted", async () => {
  const proxyIn = async (trustedProxies: string[], headers: object) => {
    await using server = await startTestServer({ trustedProxies });
    const url = "/healthz";
    return (await server.app.inject({ url, headers: { ...headers } })).json()
      .proxy;
  };
  const forwarded = { "x-forwarded-for": "192.0.2.1" };
  assert.equal(await proxyIn(["127.0.0.1/32"], forwarded), "trusted");
  assert.equal(await proxyIn(["10.0.0.0/8"], forwarded), "untrusted");
  assert.equal(await proxyIn([], forwarded), "untrusted");
  assert.equal(await proxyIn([], {}), undefined);
});

test("is not ready while the store cannot write, and ready again by itself", async () => {
  const store = new MemoryStore();
  await using server = await startTestServer({ store });
  const { app, call, base, clock } = server;
  await call("POST", `${base}/topics`, { name: "a" });
  const publish = () =>
    call("POST", `${base}/topics/${server.topicUrn("a")}/publish`, {
      message: "m",
    });
  const { acceptMessage, putSetting } = store;
  const full = async () => {
    throw new CarillonError("STORAGE_FULL");
  };
  Object.assign(store, { acceptMessage: full, putSetting: full });
  for (let n = 0; n < 50; n++) assert.equal((await publish()).status, 507);
  await clock.advanceSettled(5000);
  const notReady = await app.inject({ url: "/readyz" });
  assert.equal(notReady.statusCode, 503);
  assert.equal(notReady.json().reason, "STORAGE_FULL");
  assert.equal((await app.inject({ url: "/healthz" })).statusCode, 200);
  Object.assign(store, { acceptMessage, putSetting });
  await clock.advanceSettled(1000);
  assert.equal((await app.inject({ url: "/readyz" })).statusCode, 200);
  assert.equal((await publish()).status, 200);
  assert.deepEqual(
    server.complaints.map(({ event }) => event),
    ["storage_failing", "request_failed"],
  );
});

test("shows metrics to this machine and to administrators", async () => {
  await using server = await startTestServer();
  const { app, authorization, call } = server;
  const ask = async (
    remoteAddress: string,
    headers: Record<string, string> = {},
  ) =>
    (await app.inject({ url: "/metrics", remoteAddress, headers })).statusCode;
  for (const local of ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"]) {
    assert.equal(await ask(local), 200, local);
    // By way of a proxy on this machine.
    for (const name of ["x-forwarded-for", "forwarded", "via", "x-real-ip"]) {
      assert.equal(await ask(local, { [name]: "127.0.0.1" }), 401, name);
    }
  }
  for (const remote of [
    "192.0.2.1",
    "10.0.0.1",
    "2001:db8::1",
    "::ffff:192.0.2.1",
  ]) {
    assert.equal(await ask(remote), 401, remote);
    assert.equal(await ask(remote, { authorization: "Basic eDp5" }), 401);
    assert.equal(await ask(remote, { authorization }), 200, remote);
    for (const health of ["/healthz", "/readyz"]) {
      const answer = await app.inject({ url: health, remoteAddress: remote });
      assert.equal(answer.statusCode, 200);
    }
  }
  const user = { name: "ann", projectIds: [server.credentials.project.id] };
  const { body: member } = await call("POST", "/api/v2/users", user);
  const key = await call("POST", "/api/v2/access-keys", { userId: member.id });
  const { accessKey, secretKey } = key.body;
  const pair = Buffer.from(`${accessKey}:${secretKey}`).toString("base64");
  assert.equal(await ask("192.0.2.1", { authorization: `Basic ${pair}` }), 403);
});

test("shows metrics without credentials if so configured", async () => {
  await using server = await startTestServer({ openMetrics: true });
  const answer = await server.app.inject({
    url: "/metrics",
    remoteAddress: "192.0.2.1",
  });
  assert.equal(answer.statusCode, 200);
  assert.match(answer.body, /^# HELP/);
});

test("shows metrics to whoever has the token, and nothing else", async () => {
  const metricsToken = "0123456789abcdef";
  await using server = await startTestServer({ metricsToken });
  const ask = async (url: string, authorization: string) =>
    (
      await server.app.inject({
        url,
        remoteAddress: "192.0.2.1",
        headers: { authorization },
      })
    ).statusCode;
  assert.equal(await ask("/metrics", `Bearer ${metricsToken}`), 200);
  assert.equal(await ask("/metrics", `Bearer ${metricsToken}0`), 401);
  assert.equal(await ask("/metrics", metricsToken), 401);
  assert.equal(await ask("/api/v2/whoami", `Bearer ${metricsToken}`), 401);
  // Operators all the same.
  assert.equal(await ask("/metrics", server.authorization), 200);
});

test("counts the lines that the log dropped", async () => {
  await using server = await startTestServer({ droppedLogLines: () => 7 });
  const shown = await metricsOf(server);
  assert.equal(shown.get("carillon_log_dropped_total"), 7);
});

test("counts messages, attempts, outcomes and requests", async () => {
  await using server = await startTestServer();
  const { base, call, clock } = server;
  await call("POST", `${base}/topics`, { name: "a" });
  for (let i = 0; i < 3; i++) {
    await call("POST", `${base}/topics/${server.topicUrn("a")}/publish`, {
      message: "m",
    });
  }
  await call("POST", `${base}/sms`, { endpoint: "+491700000", message: "m" });
  await call("POST", `${base}/sms`, { endpoint: "nobody", message: "m" });
  await clock.advanceSettled(100);
  const shown = await metricsOf(server);
  assert.equal(shown.get("carillon_messages_accepted_total"), 4);
  const attempt = (protocol: string, state: string, errorClass = "") =>
    shown.get(
      `carillon_delivery_attempts_total{protocol="${protocol}",state="${state}",error_class="${errorClass}"}`,
    );
  assert.equal(attempt("sms", "delivered"), 1);
  const outcome = (protocol: string, state: string) =>
    shown.get(
      `carillon_delivery_outcomes_total{protocol="${protocol}",state="${state}"}`,
    );
  assert.equal(outcome("sms", "delivered"), 1);
  // All are there from the start.
  for (const protocol of ["http", "https", "email", "sms"]) {
    for (const state of deliveryStates) {
      if (protocol === "sms" && state === "delivered") continue;
      assert.equal(outcome(protocol, state), 0, `${protocol} ${state}`);
    }
  }
  const delivered = 'protocol="sms",provider="",state="delivered"';
  const duration = "carillon_delivery_duration_seconds";
  assert.equal(shown.get(`${duration}_count{${delivered}}`), 1);
  assert.equal(shown.get(`${duration}_bucket{${delivered},le="1"}`), 1);
  assert.equal(shown.get("carillon_attempts_in_flight"), 0);
  const route = "/v2/:project_id/notifications/sms";
  const requests = (status: number) =>
    shown.get(
      `carillon_http_requests_total{method="POST",route="${route}",status="${status}"}`,
    );
  assert.equal(requests(200), 1);
  assert.equal(requests(400), 1);
  const durations = `carillon_http_request_duration_seconds_count{method="POST",route="${route}",status_class=`;
  assert.equal(shown.get(`${durations}"2xx"}`), 1);
  assert.equal(shown.get(`${durations}"4xx"}`), 1);
  assert.equal(shown.get(`carillon_build_info{version="${version}"}`), 1);
  assert.ok(shown.has("process_resident_memory_bytes"));
});

test("shows attempts that failed, retries and what waits", async () => {
  await using server = await startTestServer({
    result: { outcome: "deferred", errorClass: "timeout", error: "e" },
  });
  const { base, call, clock } = server;
  const urn = server.topicUrn("a");
  await call("POST", `${base}/topics`, { name: "a" });
  await call("POST", `${base}/topics/${urn}/subscriptions`, {
    protocol: "email",
    endpoint: "a@example.com",
  });
  await clock.advanceSettled(100);
  const attempts =
    'carillon_delivery_attempts_total{protocol="email",state="retrying",error_class="timeout"}';
  const retries = 'carillon_delivery_retries_total{protocol="email"}';
  const backlog = 'carillon_backlog_deliveries{state="retrying"}';
  const first = await metricsOf(server);
  assert.deepEqual(
    [attempts, retries, backlog].map((it) => first.get(it)),
    [1, 0, 1],
  );
  await clock.advanceSettled(10_000);
  const second = await metricsOf(server);
  assert.deepEqual(
    [attempts, retries, backlog].map((it) => second.get(it)),
    [2, 1, 1],
  );
});

test("shows a colon in a route's name as one", async () => {
  await using server = await startTestServer({ unstarted: true });
  await server.call("POST", "/api/v2/subscriptions/none/messages:ack", {
    leaseIds: [],
  });
  const shown = await metricsOf(server);
  const route = "/api/v2/subscriptions/:mailbox/messages:ack";
  const labels = `{method="POST",route="${route}",status="404"}`;
  assert.equal(shown.get(`carillon_http_requests_total${labels}`), 1);
});

test("counts paths that lead nowhere, and log-ins by what came of them", async () => {
  await using server = await startTestServer();
  await server.call("GET", "/nowhere/4711");
  const login = (password: string) =>
    server.call("POST", "/v3/auth/tokens", {
      auth: {
        identity: {
          methods: ["password"],
          password: { user: { name: "admin", password } },
        },
      },
    });
  await login("wrong");
  await login(server.credentials.user.password);
  const shown = await metricsOf(server);
  const requests =
    'carillon_http_requests_total{method="GET",route="",status="404"}';
  assert.equal(shown.get(requests), 1);
  for (const [outcome, count] of [
    ["succeeded", 1],
    ["refused", 1],
    ["throttled", 0],
  ] as const) {
    const name = `carillon_logins_total{outcome="${outcome}"}`;
    assert.equal(shown.get(name), count);
  }
});

test("shows each metric of the table, and no other", async () => {
  await using server = await startTestServer();
  const { body } = await server.app.inject({ url: "/metrics" });
  const shown = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(
    ([, name = "", type]) => [name, type] as const,
  );
  const table: Readonly<Record<string, MetricDefinition>> = {
    ...metrics,
    ...processMetrics,
  };
  for (const [name, type] of shown) assert.equal(table[name]?.type, type, name);
  assert.deepEqual(
    metricNames,
    shown.map(([name]) => name).filter((name) => name in metrics),
  );
  const labels = body.matchAll(
    /^(carillon_\w+?)(?:_bucket|_sum|_count)?\{(.*)\} /gm,
  );
  for (const [, name = "", pairs = ""] of labels) {
    const names = [...pairs.matchAll(/(\w+)="/g)].map(([, label]) => label);
    assert.deepEqual(
      names.filter((label) => label !== "le"),
      table[name]?.labels,
      name,
    );
  }
});

test("shows how late the oldest due delivery is", async () => {
  await using server = await startTestServer();
  const lag = async () =>
    (await metricsOf(server)).get("carillon_oldest_due_delivery_lag_seconds");
  assert.equal(await lag(), 0);
  Object.assign(server.store, {
    nextDue: async () => ({ delivery: -2500 }),
  });
  assert.equal(await lag(), 2.5);
  Object.assign(server.store, {
    nextDue: async () => ({ delivery: 2500 }),
  });
  assert.equal(await lag(), 0);
});

test("two servers in one process count for themselves", async () => {
  await using one = await startTestServer();
  await using two = await startTestServer();
  await one.call("POST", `${one.base}/sms`, {
    endpoint: "+491700000",
    message: "m",
  });
  const accepted = "carillon_messages_accepted_total";
  assert.equal((await metricsOf(one)).get(accepted), 1);
  assert.equal((await metricsOf(two)).get(accepted), 0);
});
