import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { CommandFailure } from "./command-failure.ts";
import type { Connection } from "./connection.ts";
import { talkTo } from "./server.ts";

test("sends keys and body, answers the object", async (t) => {
  const asked: unknown[] = [];
  const url = await serverOf(t, async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    asked.push(request.method, request.url, request.headers.authorization);
    asked.push(JSON.parse(body));
    response.end('{"id":"d1","name":"acme","enabled":true}');
  });
  const domain = await talkTo(connectionTo(url), ({ carillon }) =>
    carillon.domains.create({ name: "acme" }),
  );
  assert.deepEqual(domain, { id: "d1", name: "acme", enabled: true });
  const keys = Buffer.from("AK:SK").toString("base64");
  assert.deepEqual(asked, [
    ...["POST", "/api/v2/domains", `Basic ${keys}`],
    { name: "acme" },
  ]);
});

test("asks for the project when only keys are given", async (t) => {
  const paths: unknown[] = [];
  const url = await serverOf(t, (request, response) => {
    paths.push(request.url);
    response.end('{"projectId":"p1","message_id":"m"}');
  });
  await talkTo({ ...withoutProject, url }, ({ smn }) =>
    smn.sendSms("+15550100078", "hi"),
  );
  assert.deepEqual(paths, ["/api/v2/whoami", "/v2/p1/notifications/sms"]);
});

test("does not ask twice when the server refuses", async (t) => {
  let requests = 0;
  const url = await serverOf(t, (_request, response) => {
    requests++;
    response.statusCode = 503;
    response.end('{"detail":"The disk is full.","code":"STORAGE_FULL"}');
  });
  await fails(url, "The disk is full (STORAGE_FULL, HTTP 503).");
  assert.equal(requests, 1);
});

test("leaves failures alone that are not the server's", async () => {
  const own = new CommandFailure("Nothing came on stdin.", 2);
  await assert.rejects(
    talkTo(connectionTo("http://127.0.0.1:9"), async () => {
      throw own;
    }),
    own,
  );
});

test("tells the server's words, code and status", async (t) => {
  const url = await serverOf(t, (_request, response) => {
    response.statusCode = 404;
    response.end('{"code":"SMN.0006","message":"Topic not found."}');
  });
  await fails(url, "Topic not found (SMN.0006, HTTP 404).");
});

test("reads problem details", async (t) => {
  const url = await serverOf(t, (_request, response) => {
    response.statusCode = 400;
    response.end('{"title":"Bad","detail":"limit is too large","code":"P"}');
  });
  await fails(url, "limit is too large (P, HTTP 400).");
});

test("says that keys are not accepted", async (t) => {
  const url = await serverOf(t, (_request, response) => {
    response.statusCode = 401;
    response.end("{}");
  });
  await fails(
    url,
    /does not accept the keys of CARILLON_ACCESS_KEY \(HTTP 401\)/,
  );
});

test("says that an answer was no answer of Carillon", async (t) => {
  const page = await serverOf(t, (_request, response) => {
    response.end("<html></html>");
  });
  await fails(page, /is no Carillon: its answer is not JSON/);
  const gateway = await serverOf(t, (_request, response) => {
    response.statusCode = 502;
    response.end("<html></html>");
  });
  await fails(gateway, /another server, or a proxy that does not reach it/);
});

test("says that nobody answers, or not in time", async (t) => {
  const gone = createServer().listen(0, "127.0.0.1");
  await once(gone, "listening");
  const { port } = gone.address() as AddressInfo;
  gone.close();
  await fails(`http://127.0.0.1:${port}`, /No server answers at/);
  const silent = await serverOf(t, () => {});
  await fails(silent, /did not answer within 0.1 s/, 100);
});

const withoutProject = {
  accessKey: "AK",
  secretKey: "SK",
  from: "CARILLON_ACCESS_KEY",
  because: "the environment has keys",
};

function connectionTo(url: string): Connection {
  return { ...withoutProject, url, projectId: "p" };
}

async function fails(
  url: string,
  expected: string | RegExp,
  timeoutMs = 5000,
): Promise<void> {
  const asking = talkTo(
    connectionTo(url),
    ({ carillon }) => carillon.whoami(),
    timeoutMs,
  );
  await assert.rejects(asking, (error) => {
    assert.ok(error instanceof CommandFailure);
    assert.equal(error.exitCode, 1);
    if (typeof expected === "string") assert.equal(error.message, expected);
    else assert.match(error.message, expected);
    return true;
  });
}

async function serverOf(
  t: { after(run: () => void): void },
  listener: RequestListener,
): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}
