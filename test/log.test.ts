/** The log of a whole server: what stands in it, and what never does. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  basicAuthorization,
  CarillonProcess,
  credentials,
} from "./harness/carillon-process.ts";
import { until } from "./harness/until.ts";
import { WebhookSink } from "./harness/webhook-sink.ts";

const notifications = `/v2/${credentials.projectId}/notifications`;
const urn = (topic: string) =>
  `urn:smn:${credentials.region}:${credentials.projectId}:${topic}`;

interface Line {
  readonly level: string;
  readonly time: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "carillon-log-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Every line, each of which must be JSON. */
async function readLog(file: string): Promise<readonly Line[]> {
  const text = await readFile(file, "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      try {
        return JSON.parse(line) as Line;
      } catch {
        throw new Error(`not JSON: ${line}`);
      }
    });
}

async function call(
  { url }: CarillonProcess,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = { authorization: basicAuthorization },
): Promise<number> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { ...headers, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  await response.arrayBuffer();
  return response.status;
}

async function login(
  server: CarillonProcess,
  name: string,
  password: string,
): Promise<string> {
  const response = await fetch(`${server.url}/v3/auth/tokens`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      auth: {
        identity: {
          methods: ["password"],
          password: { user: { name, password, domain: { id: "default" } } },
        },
      },
    }),
  });
  await response.arrayBuffer();
  return response.headers.get("x-subject-token") ?? "";
}

for (const logLevel of ["info", "debug"]) {
  test(`at ${logLevel} all of stderr is events, and none has a secret`, async (t) => {
    await using sink = await WebhookSink.start();
    const data = await folder(t);
    const logFile = join(data, "..", `${Date.now()}-${logLevel}.log`);
    t.after(() => rm(logFile, { force: true }));
    await using server = await CarillonProcess.start({
      data,
      logFile,
      args: ["--log-level", logLevel, "--sms-providers", "null"],
      env: {
        // What Node.js would print itself.
        NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(
          'process.once("SIGUSR2", () => process.emitWarning("mind", "TestWarning"))',
        )}`,
      },
    });
    const topic = `${notifications}/topics/${urn("t")}`;
    await call(server, "POST", `${notifications}/topics`, { name: "t" });
    await call(server, "POST", `${topic}/subscriptions`, {
      protocol: "http",
      endpoint: `${sink.url}/hook-s3cret?key=query-s3cret`,
    });
    await sink.until(() => sink.confirmed.size === 1, "no confirmation came");
    sink.status = () => 503;
    const text = "body-s3cret";
    assert.equal(
      await call(server, "POST", `${topic}/publish`, { message: text }),
      200,
    );
    await call(server, "POST", `${notifications}/sms`, {
      endpoint: "+491701234567",
      message: text,
    });
    await call(server, "POST", "/api/v2/opt-outs", {
      recipient: "+491701234567",
    });
    await call(server, "DELETE", "/api/v2/opt-outs/%2B491701234567");
    await call(server, "GET", "/c/token-s3cret?x=query-s3cret");
    await call(server, "GET", "/nowhere/path-s3cret?x=query-s3cret");
    await call(server, "GET", `${notifications}/topics`, undefined, {
      authorization: `Basic ${Buffer.from("AK:key-s3cret").toString("base64")}`,
    });
    await login(server, "admin", "password-s3cret");
    await login(server, "name-s3cret@example.com", "password-s3cret");
    const token = await login(server, "admin", credentials.adminPassword);
    assert.notEqual(token, "");
    server.signal("SIGUSR2");
    await until(
      async () => {
        const events = new Set((await readLog(logFile)).map((it) => it.event));
        return ["attempt_failed", "login_refused", "node_warning"].every(
          (event) => events.has(event),
        );
      },
      "the events did not come",
      20_000,
      50,
    );
    assert.equal(await server.stop(), 0);

    const lines = await readLog(logFile);
    for (const { level, time, event } of lines) {
      assert.ok(level && event && !Number.isNaN(Date.parse(time)));
    }
    const of = (event: string) => lines.filter((it) => it.event === event);
    assert.partialDeepStrictEqual(of("started")[0], {
      level: "info",
      data,
      url: server.url,
      sandbox: false,
      smsProviders: ["null"],
    });
    assert.equal(of("credentials_written").length, 1);
    assert.partialDeepStrictEqual(of("attempt_failed")[0], {
      protocol: "http",
      endpoint: `${sink.url}/***`,
      attempt: 1,
      errorClass: "http_status",
      status: 503,
      state: "retrying",
    });
    assert.ok(Date.parse(String(of("attempt_failed")[0]?.nextAttemptAt)));
    assert.deepEqual(
      of("login_refused").map(({ userName, reason, address }) => [
        userName,
        reason,
        address,
      ]),
      [
        ["admin", "credentials", "127.0.0.1"],
        [undefined, "credentials", "127.0.0.1"],
      ],
    );
    assert.equal(of("stopping")[0]?.reason, "SIGTERM");
    assert.equal(lines.at(-1)?.event, "stopped");
    assert.equal(lines.at(-1)?.reason, "SIGTERM");

    const requests = of("request");
    const created = requests.find(({ status }) => status === 201);
    assert.partialDeepStrictEqual(created, {
      level: "info",
      method: "POST",
      route: "/v2/:project_id/notifications/topics",
      path: `${notifications}/topics`,
      projectId: credentials.projectId,
      address: "127.0.0.1",
    });
    assert.ok(created?.userId && created.requestId && created.durationMs);
    const paths = requests.map(({ path }) => path);
    assert.ok(paths.includes("/c/***"));
    assert.ok(paths.includes("/***/***"));
    assert.ok(paths.includes("/api/v2/opt-outs/***"));
    const refused = requests.find(({ status }) => status === 401);
    assert.equal(refused?.code, "AUTHENTICATION_FAILED");
    const published = requests.filter(({ route }) =>
      String(route).endsWith("/publish"),
    );
    assert.deepEqual(
      published.map(({ level }) => level),
      logLevel === "debug" ? ["debug"] : [],
    );

    const whole = JSON.stringify(lines);
    for (const secret of [
      "s3cret",
      credentials.adminPassword,
      credentials.secretKey,
      token,
      "491701234567",
    ]) {
      const at = whole.indexOf(secret);
      assert.equal(at, -1, whole.slice(Math.max(0, at - 200), at + 50));
    }
  });
}

test("an error that nobody caught is an event, too, and ends it", async (t) => {
  const data = await folder(t);
  await using server = await CarillonProcess.start({
    data,
    env: {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(
        'process.once("SIGUSR2", () => { throw new Error("at a@example.com") })',
      )}`,
    },
  });
  server.signal("SIGUSR2");
  await until(() => server.hasEnded, "it went on", 20_000, 20);
  assert.equal(server.child.exitCode, 1);
  const lines = server.stderr.split("\n").map((it) => JSON.parse(it) as Line);
  const last = lines.at(-1);
  assert.equal(last?.event, "uncaught_error");
  assert.match(JSON.stringify(last), /a\*\*\*@example\.com/);
});
