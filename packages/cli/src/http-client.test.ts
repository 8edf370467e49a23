import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { CommandFailure } from "./command-failure.ts";
import { createHttpClient } from "./http-client.ts";

test("sends keys and body, answers the object", async (t) => {
  const url = await serverOf(t, async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { authorization } = request.headers;
    response.end(JSON.stringify({ body: JSON.parse(body), authorization }));
  });
  const answer = await clientOf(url).request("POST", "/x", { a: 1 });
  assert.deepEqual(answer, {
    body: { a: 1 },
    authorization: `Basic ${Buffer.from("AK:SK").toString("base64")}`,
  });
});

test("tells the server's words, code and status", async (t) => {
  const url = await serverOf(t, (_request, response) => {
    response.statusCode = 404;
    response.end('{"code":"SMN.0006","message":"Topic not found."}');
  });
  await fails(url, "Topic not found. (SMN.0006, HTTP 404)");
});

test("reads problem details", async (t) => {
  const url = await serverOf(t, (_request, response) => {
    response.statusCode = 400;
    response.end('{"title":"Bad","detail":"limit is too large","code":"P"}');
  });
  await fails(url, "limit is too large (P, HTTP 400)");
});

test("says that keys are not accepted", async (t) => {
  const url = await serverOf(t, (_request, response) => {
    response.statusCode = 401;
    response.end("{}");
  });
  await fails(url, /does not accept these keys \(HTTP 401\)/);
});

test("says that an answer was no answer of Carillon", async (t) => {
  const page = await serverOf(t, (_request, response) => {
    response.end("<html></html>");
  });
  await fails(page, /not understood/);
  const gateway = await serverOf(t, (_request, response) => {
    response.statusCode = 502;
    response.end("<html></html>");
  });
  await fails(gateway, /answered without saying why \(HTTP 502\)/);
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

function clientOf(url: string, timeoutMs = 5000) {
  return createHttpClient(
    { url, accessKey: "AK", secretKey: "SK" },
    { timeoutMs },
  );
}

async function fails(
  url: string,
  expected: string | RegExp,
  timeoutMs?: number,
): Promise<void> {
  await assert.rejects(
    clientOf(url, timeoutMs).request("GET", "/"),
    (error) => {
      assert.ok(error instanceof CommandFailure);
      if (typeof expected === "string") assert.equal(error.message, expected);
      else assert.match(error.message, expected);
      return true;
    },
  );
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
