import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { AttemptSignals, Store } from "@carillon/core";
import { Gateway, NullProvider, type StartContext } from "@carillon/gateway";
import { interceptCalls, MemoryStore } from "@carillon/testing";
import { startTestServer } from "../test-support/test-server.ts";
import { loadConfig } from "./config.ts";
import { readBootstrapState } from "./identity/bootstrap.ts";
import { serve } from "./serve.ts";

test("closes while a client is in the middle of a request", {
  timeout: 20_000,
}, async () => {
  const server = await startTestServer();
  const port = await server.listen();
  const socket = connect(port, "127.0.0.1");
  const begun = once(server.app.server, "request");
  socket.write("POST /v2 HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nab");
  await begun;
  const ended = once(socket, "close");
  // Reset, once its time is over.
  socket.on("error", () => {});
  socket.resume();
  await server[Symbol.asyncDispose]();
  await ended;
  assert.ok(socket.destroyed);
});

test("ends the probes under way once it closes, and makes no more", async () => {
  const signals: (AbortSignal | undefined)[] = [];
  const server = await startTestServer({
    probe: (_request, signal) => {
      signals.push(signal);
      return new Promise((resolve) => {
        signal?.addEventListener("abort", () =>
          resolve({ kind: "unanswered" }),
        );
      });
    },
  });
  await server.call("POST", `${server.base}/topics`, { name: "a" });
  const detect = () =>
    server.call(
      "POST",
      `${server.base}/topics/${server.topicUrn("a")}/detection`,
      { protocol: "http", endpoint: "http://a.example/" },
    );
  for (let n = 0; n < 20; n++) assert.equal((await detect()).status, 200);
  const aborted = () => signals.map((signal) => signal?.aborted);
  assert.deepEqual(aborted(), new Array(16).fill(false));
  await server[Symbol.asyncDispose]();
  assert.deepEqual(aborted(), new Array(16).fill(true));
});

test("writes which log-ins were refused before it is closed", async () => {
  const counted: unknown[] = [];
  const store = interceptCalls<Store>(new MemoryStore(), (name, call, args) => {
    if (name === "changeCounters") counted.push(args[1]);
    return call();
  });
  const server = await startTestServer({ store });
  const { status } = await server.call("POST", "/v3/auth/tokens", {
    auth: {
      identity: {
        methods: ["password"],
        password: { user: { name: "admin", password: "wrong" } },
      },
    },
  });
  assert.equal(status, 401);
  assert.equal(counted.length, 0);
  await server[Symbol.asyncDispose]();
  assert.equal(counted.length, 1);
});

test("an abort while it closes ends what it waits for", async () => {
  const reached = Promise.withResolvers<AttemptSignals | undefined>();
  const server = await startTestServer({
    deliver: (signals) => {
      reached.resolve(signals);
      return new Promise((resolve) => {
        signals?.engineSignal.addEventListener("abort", () =>
          resolve({
            outcome: "deferred",
            errorClass: "interrupted",
            error: "The service was shutting down.",
          }),
        );
      });
    },
  });
  const { call, base, topicUrn } = server;
  const topic = `${base}/topics/${topicUrn("a")}`;
  await call("POST", `${base}/topics`, { name: "a" });
  await call("POST", `${topic}/subscriptions`, {
    protocol: "http",
    endpoint: "http://a.example/",
  });
  await reached.promise;
  const port = await server.listen();
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  const begun = once(server.app.server, "request");
  socket.write("POST /v2 HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nab");
  await begun;

  // The clock stands still: nothing but the signal ends the waits.
  const stop = new AbortController();
  const closed = server.close({ signal: stop.signal });
  stop.abort();
  await closed;
  await server[Symbol.asyncDispose]();
});

test("an abort during the start closes what was opened", async () => {
  const stop = new AbortController();
  const reason = new Error("stop");
  const starting = Promise.withResolvers<AbortSignal | undefined>();
  const started = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<void>();
  class SlowProvider extends NullProvider {
    override async start({ signal }: StartContext = {}): Promise<void> {
      starting.resolve(signal);
      await started.promise;
    }

    override async stop(): Promise<void> {
      stopped.resolve();
    }
  }
  const gateway = new Gateway();
  gateway.addProvider("slow", new SlowProvider());
  const start = startTestServer({ gateway, signal: stop.signal });
  const signal = await starting.promise;
  stop.abort(reason);
  await assert.rejects(start, (error) => error === reason);
  assert.equal(signal?.reason, reason);
  // One that did not heed the signal does not stay.
  started.resolve();
  await stopped.promise;
});

test("a start that fails or is aborted at its end leaves the identity to the next one", async () => {
  const stop = new AbortController();
  const reason = new Error("stop");
  const begin = async (signal?: AbortSignal) => {
    const server = await startTestServer({ unstarted: true, signal });
    const state = () => readBootstrapState(server.store);
    return { server, state };
  };
  {
    const { server, state } = await begin();
    await using _ = server;
    server.engine.start = async () => {
      throw reason;
    };
    await assert.rejects(server.start(), (error) => error === reason);
    assert.equal(await state(), undefined);
  }
  {
    const { server, state } = await begin(stop.signal);
    await using _ = server;
    server.engine.start = async () => stop.abort(reason);
    await assert.rejects(server.start(), (error) => error === reason);
    assert.equal(await state(), undefined);
  }
  const { server, state } = await begin();
  await using _ = server;
  await server.start();
  assert.notEqual(await state(), undefined);
});

test("says which channel's timeout a lease does not cover", async (t) => {
  const data = await mkdtemp(join(tmpdir(), "carillon-lease-"));
  t.after(() => rm(data, { recursive: true, force: true }));
  const config = loadConfig({ flags: { data, port: 0 } });
  // One that was not read: `loadConfig` refuses it.
  const short = { ...config, leaseMs: 60_000, httpTimeoutMs: 60_000 };
  await assert.rejects(serve(short), {
    name: "ConfigError",
    message: /leaseMs: A lease of 60000 ms does not cover .* make the lease/,
  });
});
