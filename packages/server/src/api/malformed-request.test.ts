import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { startTestServer } from "../../test-support/test-server.ts";

const large = "x".repeat(20_000);

test("what is no request is answered in the shape of its API, with a code", async () => {
  await using server = await startTestServer({ requestTimeoutMs: 300 });
  await server.app.listen({ host: "127.0.0.1", port: 0 });
  const address = server.app.server.address();
  assert.ok(address !== null && typeof address === "object");
  const smn = (code: string) => (body: Record<string, string>) => {
    assert.equal(body.code, code);
    assert.equal(body.error_code, code);
    assert.ok(body.message && body.error_msg);
    assert.match(String(body.request_id), /./);
  };
  const problem =
    (code: string, status: number) => (body: Record<string, unknown>) => {
      assert.equal(body.code, code);
      assert.equal(body.status, status);
      assert.equal(body.type, `/api/v2/problems/${code}`);
      assert.ok(body.title && body.detail && body.requestId);
    };
  const cases: readonly [
    request: string,
    status: number,
    check: (body: never) => void,
  ][] = [
    ["nonsense\r\n\r\n", 400, smn("APIGW.0201")],
    [
      "GET /api/v2/whoami HTTP/9.x\r\n\r\n",
      400,
      problem("REQUEST_INVALID", 400),
    ],
    [
      `GET /v2/p HTTP/1.1\r\nHost: h\r\nX: ${large}\r\n\r\n`,
      431,
      smn("APIGW.0201"),
    ],
    [
      `GET /api/v2/whoami HTTP/1.1\r\nHost: h\r\nX: ${large}\r\n\r\n`,
      431,
      problem("HEADERS_TOO_LARGE", 431),
    ],
    [
      `GET /v3/auth/tokens HTTP/1.1\r\nHost: h\r\nX: ${large}\r\n\r\n`,
      431,
      ({ error }: { error: Record<string, unknown> }) => {
        assert.equal(error.code, 431);
        assert.ok(error.title && error.message);
      },
    ],
    [
      "GET /api/v2/whoami HTTP/1.1\r\n\r\n",
      400,
      problem("REQUEST_INVALID", 400),
    ],
    [
      "GET /api/v2/whoami HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n",
      417,
      problem("EXPECTATION_UNKNOWN", 417),
    ],
    // Not whole in time.
    ["GET /api/v2/whoami HTTP/1.1\r\nHost: h\r\n", 408, smn("APIGW.0201")],
  ];
  for (const [request, status, check] of cases) {
    const socket = connect(address.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(request);
    const answer = await text(socket);
    const [head = "", body = ""] = answer.split("\r\n\r\n");
    assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `), request);
    assert.match(head, /^x-request-id: ./im);
    const length = /^content-length: (\d+)/im.exec(head)?.[1];
    assert.equal(Number(length), Buffer.byteLength(body));
    check(JSON.parse(body) as never);
  }
});
