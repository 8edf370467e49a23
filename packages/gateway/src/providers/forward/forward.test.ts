import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  AuthError,
  ConfigurationError,
  ProviderConnectionError,
  RemoteError,
  ServerError,
} from "../../errors.ts";
import { Gateway, type GatewayOptions } from "../../gateway.ts";
import { IncomingMessage } from "../../incoming-message.ts";
import { MessageDelivered, type MessageStatus } from "../../message-status.ts";
import { toNodeListener } from "../../node-http.ts";
import { OptOut } from "../../opt-out/opt-out.ts";
import { OutgoingMessage } from "../../outgoing-message.ts";
import {
  serve,
  serveAnswer,
  type TestServer,
  unusedUrl,
} from "../../testing/serve.ts";
import { LoopbackProvider } from "../loopback/provider.ts";
import { ForwardClientProvider } from "./client-provider.ts";
import type { ForwardClientConfig, ForwardServerConfig } from "./config.ts";
import { ForwardServerProvider } from "./server-provider.ts";

interface Options {
  readonly client?: Partial<ForwardClientConfig>;
  readonly server?: Partial<ForwardServerConfig>;
  readonly serverGateway?: GatewayOptions<readonly unknown[]>;
  /** Before the host in the URL of the other side. */
  readonly userinfo?: string;
}

/** A client and a server gateway that reach each other over HTTP. */
async function createPair(options: Options = {}) {
  const stack = new AsyncDisposableStack();
  const clientGateway = new Gateway();
  const serverGateway = new Gateway(options.serverGateway);
  const mount = async (gateway: Gateway): Promise<string> => {
    const handler = gateway.receiverHandler({ prefix: "sms" });
    const server = stack.use(await serve(toNodeListener(handler)));
    return server.url.replace("//", `//${options.userinfo ?? ""}`);
  };
  const serverUrl = `${await mount(serverGateway)}/sms/srv/`;
  const clientUrl = `${await mount(clientGateway)}/sms/fwd`;

  const loopback = serverGateway.addProvider("lo", new LoopbackProvider());
  const server = serverGateway.addProvider(
    "srv",
    new ForwardServerProvider({ clients: [clientUrl], ...options.server }),
  );
  const client = clientGateway.addProvider(
    "fwd",
    new ForwardClientProvider({ serverUrl, ...options.client }),
  );
  return {
    clientGateway,
    serverGateway,
    clientUrl,
    serverUrl,
    loopback,
    server,
    client,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** A gateway whose only provider forwards to this URL. */
function clientOf(
  serverUrl: string,
  config: Partial<ForwardClientConfig> = {},
): Gateway {
  const gateway = new Gateway();
  gateway.addProvider(
    "fwd",
    new ForwardClientProvider({ serverUrl, ...config }),
  );
  return gateway;
}

const hello = () => new OutgoingMessage("1234", "Hi žluť 😀");

async function post(
  url: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<{ status: number; type: string | null; text: string }> {
  const response = await fetch(url, { method: "POST", body, headers });
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    text: await response.text(),
  };
}

describe("a pair over HTTP", () => {
  test("sends, and the sender's object has all its fields", async () => {
    await using pair = await createPair();
    const message = hello()
      .options({ senderId: "me" })
      .params({ a: 1 })
      .route(1, 2, 3);
    const sent = await pair.clientGateway.send(message);
    assert.equal(sent, message);
    const [passed] = pair.loopback.takeTraffic();
    assert.ok(passed instanceof OutgoingMessage);
    for (const seen of [message, passed]) {
      assert.equal(seen.src, null);
      assert.equal(seen.dst, "1234");
      assert.equal(seen.body, "Hi žluť 😀");
      assert.equal(seen.provider, "lo");
      assert.equal(seen.providerOptions.senderId, "me");
      assert.deepEqual(seen.providerParams, { a: 1 });
      assert.deepEqual(seen.routingValues, [1, 2, 3]);
      assert.equal(seen.msgid, "1");
      assert.equal(seen.meta, null);
    }
  });

  test("the server's router decides with the client's values", async () => {
    await using pair = await createPair();
    const other = pair.serverGateway.addProvider(
      "other",
      new LoopbackProvider(),
    );
    pair.serverGateway.router = (_message, kind) =>
      kind === "alarm" ? "other" : null;
    const sent = await pair.clientGateway.send(hello().route("alarm"));
    assert.equal(sent.provider, "other");
    assert.equal(other.takeTraffic().length, 1);
  });

  test("brings texts and statuses to the client's hooks", async () => {
    await using pair = await createPair();
    const texts: IncomingMessage[] = [];
    const statuses: MessageStatus[] = [];
    pair.clientGateway.onReceive.add((message) => void texts.push(message));
    pair.clientGateway.onStatus.add((status) => void statuses.push(status));
    pair.loopback.subscribe("1234", (message) => message.reply("Yo"));
    const message = hello().options({ statusReport: true });
    await pair.clientGateway.send(message);
    assert.deepEqual(
      texts.map((m) => [m.src, m.body, m.msgid, m.provider, m.meta]),
      [["1234", "Yo", "2", "lo", {}]],
    );
    const [status] = statuses;
    assert.ok(status instanceof MessageDelivered);
    assert.equal(status.msgid, "1");
    assert.equal(status.provider, "lo");
    assert.equal(status.status, "OK");
    assert.equal(status.statusCode, null);
    assert.ok(status.rtime instanceof Date);
  });

  test("a failing hook of the client fails the server's carrier", async () => {
    await using pair = await createPair();
    pair.clientGateway.onReceive.add(() => {
      throw new RangeError("Tired");
    });
    await assert.rejects(pair.loopback.received("1", "Yo"), (error) => {
      assert.ok(error instanceof RemoteError);
      assert.equal(error.remoteName, "RangeError");
      assert.equal(error.message, "Tired");
      return true;
    });
  });

  test("errors of the server are raised as their own class", async () => {
    await using pair = await createPair();
    const failure = new ServerError("Offline", { code: 7 });
    pair.loopback.subscribe("1234", () => Promise.reject(failure));
    await assert.rejects(pair.clientGateway.send(hello()), (error) => {
      assert.ok(error instanceof ServerError);
      assert.equal(error.message, "Offline");
      assert.equal(error.provider, "fwd");
      assert.equal(error.retryable, true);
      return true;
    });
  });

  test("what may have gone out at the server is unknown at the client, too", async () => {
    for (const outcomeUnknown of [true, false]) {
      await using pair = await createPair();
      const failure = new ProviderConnectionError("Broken", { outcomeUnknown });
      pair.loopback.subscribe("1234", () => Promise.reject(failure));
      await assert.rejects(pair.clientGateway.send(hello()), (error) => {
        assert.ok(error instanceof ProviderConnectionError);
        assert.equal(error.outcomeUnknown, outcomeUnknown);
        return true;
      });
    }
  });

  test("errors of the server keep none of the secrets that they quote", async () => {
    const quoted = `Basic ${btoa("ann:p%40ssword")} p@ssword /sms/srv shared-secret`;
    for (const [error, type] of [
      [new ServerError(quoted), ServerError],
      [new RangeError(quoted), RemoteError],
    ] as const) {
      await using pair = await createPair({
        userinfo: "ann:p%40ssword@",
        client: { secret: "shared-secret" },
        server: {
          auth: { user: "ann", pass: "p%40ssword" },
          secret: "shared-secret",
        },
      });
      pair.serverGateway.onSend.add(() => Promise.reject(error));
      await assert.rejects(pair.clientGateway.send(hello()), (raised) => {
        assert.ok(raised instanceof type);
        assert.equal(raised.message, "Basic *** *** *** ***");
        assert.doesNotMatch(String(raised.stack), /ssword|shared/);
        return true;
      });
    }
  });

  test("errors of classes nobody knows are raised as remote ones", async () => {
    await using pair = await createPair();
    class OverflowError extends Error {
      override name = "OverflowError";
    }
    pair.loopback.subscribe("1234", () => {
      throw new OverflowError("Tired");
    });
    await assert.rejects(pair.clientGateway.send(hello()), (error) => {
      assert.ok(error instanceof RemoteError);
      assert.equal(error.remoteName, "OverflowError");
      assert.equal(error.message, "Tired");
      return true;
    });
  });

  test("a retry goes back to the forward client", async () => {
    await using pair = await createPair();
    const message = hello();
    message.provider = "fwd";
    await pair.clientGateway.send(message);
    await pair.clientGateway.send(message.reset());
    assert.equal(message.msgid, "2");
  });

  test("a repeated text runs the hooks once, if the client remembers", async () => {
    await using pair = await createPair({ client: { dedupe: 10 } });
    let calls = 0;
    pair.clientGateway.onReceive.add(() => {
      calls += 1;
      if (calls === 1) throw new Error("not yet");
    });
    const message = await pair.loopback.received("1", "Yo").catch(() => {
      const [text] = pair.loopback.takeTraffic();
      return text as IncomingMessage;
    });
    await pair.server.forward(message);
    await pair.server.forward(message);
    assert.equal(calls, 2);
  });
});

describe("duplicates", () => {
  test("two that come at once run the hooks once, and share the outcome", async () => {
    await using pair = await createPair({ client: { dedupe: 10 } });
    const begun = Promise.withResolvers<void>();
    const done = Promise.withResolvers<void>();
    let calls = 0;
    pair.clientGateway.onReceive.add(() => {
      calls += 1;
      begun.resolve();
      return done.promise;
    });
    const body =
      '{"message": {"?": ["IncomingMessage", {"msgid": "7", "src": "1", ' +
      '"body": "x", "dst": null, "meta": {}, "provider": "lo"}]}}';
    const first = post(`${pair.clientUrl}/im`, body);
    await begun.promise;
    const second = post(`${pair.clientUrl}/im`, body);
    // The second must have been read before the first is done with.
    const third = post(`${pair.clientUrl}/im`, body.replace("7", "8"));
    while (calls < 2) await new Promise((resolve) => setImmediate(resolve));
    done.reject(new ServerError("no"));
    const statuses = await Promise.all([first, second, third]);
    assert.deepEqual(
      statuses.map(({ status }) => status),
      [500, 500, 500],
    );
    assert.equal(calls, 2);
  });
});

describe("authentication", () => {
  const auth = { user: "us%40er", pass: "p:s" };

  test("credentials in the URL open the other side's receiver", async () => {
    const userinfo = `${auth.user}:${auth.pass}@`;
    await using pair = await createPair({
      userinfo,
      client: { auth },
      server: { auth },
    });
    let received = 0;
    pair.clientGateway.onReceive.add(() => {
      received += 1;
    });
    await pair.clientGateway.send(hello());
    await pair.loopback.received("1", "Yo");
    assert.equal(received, 1);
  });

  test("without them the client is refused with an error", async () => {
    await using pair = await createPair({ server: { auth } });
    await assert.rejects(pair.clientGateway.send(hello()), AuthError);
    assert.deepEqual(pair.loopback.takeTraffic(), []);
    const reply = await post(`${pair.serverUrl}im`, "{}");
    assert.equal(reply.status, 401);
    assert.equal(reply.type, "application/json");
  });

  test("they travel as a header, never in the URL", async () => {
    await using peer = await serveAnswer(() => ({ status: 500 }));
    const url = peer.url.replace("//", "//user:p%40ss@");
    await assert.rejects(clientOf(url).send(hello()), (error) => {
      assert.ok(error instanceof ServerError);
      assert.doesNotMatch(error.message, /p%40ss|user/);
      return true;
    });
    const [request] = peer.requests;
    const encoded = Buffer.from("user:p%40ss").toString("base64");
    assert.equal(request?.headers.authorization, `Basic ${encoded}`);
    assert.equal(request?.path, "/im");
  });

  test("half a pair of credentials is none", async () => {
    await using peer = await serveAnswer(() => ({ status: 500 }));
    const url = peer.url.replace("//", "//user:@");
    await assert.rejects(clientOf(url).send(hello()));
    assert.equal(peer.requests[0]?.headers.authorization, undefined);
  });

  test("a shared secret signs both directions", async () => {
    const secret = "s3cret";
    await using pair = await createPair({
      client: { secret },
      server: { secret },
    });
    await pair.clientGateway.send(hello());
    await pair.loopback.received("1", "Yo");
  });

  test("a signed request is taken once, and at its own address only", async () => {
    const secret = "s3cret";
    await using peer = await serveAnswer(() => ({ status: 500 }));
    await assert.rejects(clientOf(peer.url, { secret }).send(hello()));
    const [captured] = peer.requests;
    assert.ok(captured);
    const gateway = new Gateway();
    const loopback = gateway.addProvider("lo", new LoopbackProvider());
    const config = { clients: [], secret };
    gateway.addProvider("srv", new ForwardServerProvider(config));
    gateway.addProvider("other", new ForwardServerProvider(config));
    const replay = async (url: string, path: string): Promise<number> => {
      const { status } = await gateway.receiverHandler()({
        method: "POST",
        url,
        path,
        headers: Object.fromEntries(
          Object.entries(captured.headers).map(([k, v]) => [k, String(v)]),
        ),
        query: new URLSearchParams(),
        rawBody: new TextEncoder().encode(captured.body),
      });
      return status;
    };
    // It was sent to the path /im.
    assert.equal(await replay("https://hub.example/srv/im", "/srv/im"), 403);
    assert.equal(await replay("https://hub.example/im", "/srv/im"), 200);
    assert.equal(await replay("https://hub.example/im", "/srv/im"), 403);
    assert.equal(await replay("https://hub.example/x/im", "/other/im"), 403);
    assert.equal(loopback.takeTraffic().length, 1);
  });

  test("a wrong or missing signature is 403", async () => {
    await using pair = await createPair({
      client: { secret: "one" },
      server: { secret: "other" },
    });
    await assert.rejects(pair.clientGateway.send(hello()), AuthError);
    await assert.rejects(pair.loopback.received("1", "Yo"), AuthError);
    assert.equal((await post(`${pair.serverUrl}im`, "{}")).status, 403);
  });
});

describe("bad peers", () => {
  test("an answer in HTML is a server error", async () => {
    for (const status of [200, 404, 500]) {
      await using peer = await serveAnswer(() => ({
        status,
        type: "text/html",
        body: "<h1>It works</h1>",
      }));
      await assert.rejects(clientOf(peer.url).send(hello()), (error) => {
        assert.ok(error instanceof ServerError);
        assert.match(error.message, /^Server at http.* failed/);
        assert.equal(error.code, status);
        assert.equal(error.outcomeUnknown, status !== 404);
        return true;
      });
    }
  });

  test("an error in the answer counts even with status 200", async () => {
    await using peer = await serveAnswer(() => ({
      body: '{"error": {"?E": ["LimitsError", ["slow"]]}}',
    }));
    await assert.rejects(clientOf(peer.url).send(hello()), {
      name: "LimitsError",
      message: "slow",
    });
  });

  test("a peer that says itself that it failed has not sent the message", async () => {
    for (const status of [500, 502, 503]) {
      await using peer = await serveAnswer(() => ({
        status,
        body: '{"error": {"?E": ["ServerError", ["Offline"]]}}',
      }));
      await assert.rejects(clientOf(peer.url).send(hello()), (error) => {
        assert.ok(error instanceof ServerError);
        assert.deepEqual(
          [error.retryable, error.outcomeUnknown],
          [true, false],
        );
        return true;
      });
    }
  });

  test("an answer without the message is a server error", async () => {
    for (const body of ["{}", "[]", "null", '{"message": 1}']) {
      await using peer = await serveAnswer(() => ({ body }));
      await assert.rejects(clientOf(peer.url).send(hello()), ServerError);
    }
  });

  test("an answer of an unknown class is a server error", async () => {
    await using peer = await serveAnswer(() => ({
      body: '{"message": {"?": ["Surprise", {"dst": "1"}]}}',
    }));
    await assert.rejects(clientOf(peer.url).send(hello()), ServerError);
  });

  test("a peer that hangs is given up on", async () => {
    await using peer = await serveAnswer(() => undefined);
    const gateway = clientOf(peer.url, { timeoutMs: 30 });
    await assert.rejects(gateway.send(hello()), (error) => {
      assert.ok(error instanceof ProviderConnectionError);
      assert.equal(error.code, "TIMEOUT");
      assert.equal(error.outcomeUnknown, true);
      assert.equal(error.provider, "fwd");
      return true;
    });
  });

  test("a peer that closes the connection may have sent the message", async () => {
    await using peer = await serve((_request, response) => {
      response.destroy();
    });
    await assert.rejects(clientOf(peer.url).send(hello()), (error) => {
      assert.ok(error instanceof ProviderConnectionError);
      assert.equal(error.outcomeUnknown, true);
      return true;
    });
  });

  test("a peer that is not there has surely not sent it", async () => {
    await assert.rejects(clientOf(await unusedUrl()).send(hello()), (error) => {
      assert.ok(error instanceof ProviderConnectionError);
      assert.equal(error.outcomeUnknown, false);
      assert.equal(error.retryable, true);
      return true;
    });
  });

  test("the caller's abort is the caller's reason", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    await using peer = await serveAnswer(() => {
      controller.abort(reason);
      return undefined;
    });
    await assert.rejects(
      clientOf(peer.url).send(hello(), { signal: controller.signal }),
      (error) => error === reason,
    );
  });

  test("an endless answer is cut off", async () => {
    await using peer = await serveAnswer(() => ({
      body: `{"message": "${"x".repeat(5 * 1024 * 1024)}"}`,
    }));
    await assert.rejects(clientOf(peer.url).send(hello()), {
      code: "RESPONSE_TOO_LARGE",
    });
  });

  test("an answer cannot reach our prototypes", async () => {
    await using peer = await serveAnswer(() => ({
      body:
        '{"message": {"?": ["OutgoingMessage", {"dst": "1234", "body": "Hi", ' +
        '"msgid": "1", "__proto__": {"polluted": 1}, "constructor": 1, ' +
        '"toJSON": 1}]}}',
    }));
    const sent = await clientOf(peer.url).send(hello());
    assert.equal(sent.msgid, "1");
    assert.ok(sent instanceof OutgoingMessage);
    assert.equal(typeof sent.toJSON, "function");
    assert.equal(Reflect.get({}, "polluted"), undefined);
  });

  test("a URL that is none is a mistake in the set-up", () => {
    for (const serverUrl of ["", "example.com/sms", "ftp://example.com"]) {
      assert.throws(
        () => new ForwardClientProvider({ serverUrl }),
        ConfigurationError,
      );
      assert.throws(
        () => new ForwardServerProvider({ clients: [serverUrl] }),
        ConfigurationError,
      );
    }
  });
});

describe("bad requests", () => {
  const cases: readonly (readonly [what: string, body: string])[] = [
    ["no JSON", "hello"],
    ["nothing", ""],
    ["no object", "[]"],
    ["no message", "{}"],
    ["another class", '{"message": {"?": ["Surprise", {}]}}'],
    ["plain data", '{"message": {"dst": "1", "body": "x"}}'],
    ["missing fields", '{"message": {"?": ["OutgoingMessage", {}]}}'],
    ["too deep", "[".repeat(5000) + "]".repeat(5000)],
  ];
  for (const [what, body] of cases) {
    test(`${what} is 400`, async () => {
      await using pair = await createPair();
      const reply = await post(`${pair.serverUrl}im`, body);
      assert.equal(reply.status, 400);
      assert.equal(reply.type, "application/json");
      assert.equal(JSON.parse(reply.text).error["?E"][0], "RequestError");
    });
  }

  test("malformed texts and statuses are 400 at the client", async () => {
    await using pair = await createPair();
    const { clientUrl } = pair;
    assert.equal((await post(`${clientUrl}/im`, "{}")).status, 400);
    assert.equal((await post(`${clientUrl}/status`, "{}")).status, 400);
    const outgoing =
      '{"message": {"?": ["OutgoingMessage", {"dst": "1", "body": ""}]}}';
    assert.equal((await post(`${clientUrl}/im`, outgoing)).status, 400);
    const noId = '{"status": {"?": ["MessageStatus", {}]}}';
    assert.equal((await post(`${clientUrl}/status`, noId)).status, 400);
  });

  test("10 MB are 413, whoever notices first", async () => {
    await using pair = await createPair();
    const body = new Uint8Array(10 * 1024 * 1024).fill(0x20);
    const reply = await post(`${pair.serverUrl}im`, body).catch(() => {
      // The server closed while we were still writing: refused as well.
      return { status: 413, type: "application/json" };
    });
    assert.equal(reply.status, 413);
    assert.equal(reply.type, "application/json");
    assert.deepEqual(pair.loopback.takeTraffic(), []);
  });

  test("a sender as long as no number is 400, at once", async () => {
    await using pair = await createPair();
    const src = "\u0663".repeat(400_000);
    const body = `{"message": {"?": ["IncomingMessage", {"msgid": "1", "src": "${src}", "body": "x"}]}}`;
    const reply = await post(`${pair.clientUrl}/im`, body);
    assert.equal(reply.status, 400);
    assert.match(reply.text, /at most 256 characters in \\"src\\"/);
  });

  test("options of another type are 400", async () => {
    await using pair = await createPair();
    const body =
      '{"message": {"?": ["OutgoingMessage", {"dst": "1", "body": "x", ' +
      '"provider_options": {"expires": "soon"}}]}}';
    assert.equal((await post(`${pair.serverUrl}im`, body)).status, 400);
  });

  test("a client exempts from opt-outs only what the server lets it", async () => {
    for (const [exemptClasses, isSent] of [
      [undefined, false],
      [["otp"], true],
      [["news"], false],
    ] as const) {
      await using pair = await createPair({
        serverGateway: { optOut: new OptOut({ exemptClasses: ["otp"] }) },
        server: exemptClasses === undefined ? {} : { exemptClasses },
      });
      await pair.serverGateway.receive(new IncomingMessage("1234", "STOP"));
      const message = hello().options({ messageClass: "otp" });
      message.optOutRule = "never";
      const sending = pair.clientGateway.send(message);
      if (isSent) await sending;
      else await assert.rejects(sending, /opted out/);
      // Its class counts for everything else.
      const [sent] = pair.loopback.takeTraffic();
      assert.equal(sent !== undefined, isSent);
    }
  });

  test("a failing hook is 500 with the error as the peer reads it", async () => {
    await using pair = await createPair();
    pair.serverGateway.onSend.add(() => {
      throw new ServerError("Offline");
    });
    const body =
      '{"message": {"?": ["OutgoingMessage", {"src": null, "dst": "1", ' +
      '"body": "x", "provider": "anything"}]}}';
    const reply = await post(`${pair.serverUrl}im`, body);
    assert.equal(reply.status, 500);
    assert.equal(reply.type, "application/json");
    assert.equal(reply.text, '{"error":{"?E":["ServerError",["Offline"]]}}');
  });

  test("a status of a class we do not know arrives all the same", async () => {
    await using pair = await createPair();
    const seen: MessageStatus[] = [];
    pair.clientGateway.onStatus.add((status) => void seen.push(status));
    const body =
      '{"status": {"?": ["S004", {"msgid": 12, "rtime": {"?": ["datetime", ' +
      '"2026-11-21T03:43:37.287801"]}, "meta": {}, "status_code": "004", ' +
      '"status": "Received", "provider": "clickatell"}]}}';
    const reply = await post(`${pair.clientUrl}/status`, body);
    assert.equal(reply.status, 200);
    assert.equal(seen[0]?.msgid, "12");
    assert.equal(seen[0]?.provider, "clickatell");
    assert.equal(seen[0]?.statusCode, "004");
    const [name, fields] = JSON.parse(reply.text).status["?"];
    assert.equal(name, "MessageStatus");
    assert.equal(fields.msgid, 12);
  });
});

describe("several clients", () => {
  async function clients(count: number) {
    const stack = new AsyncDisposableStack();
    const gateways: Gateway[] = [];
    const urls: string[] = [];
    for (let i = 0; i < count; i++) {
      const gateway = new Gateway();
      const serverUrl = "http://127.0.0.1:9";
      gateway.addProvider("fwd", new ForwardClientProvider({ serverUrl }));
      const listener = toNodeListener(gateway.receiverHandler());
      const server = stack.use(await serve(listener));
      gateways.push(gateway);
      urls.push(`${server.url}/fwd`);
    }
    const dispose = () => stack.disposeAsync();
    return { gateways, urls, [Symbol.asyncDispose]: dispose };
  }

  function forwardTo(config: ForwardServerConfig) {
    const gateway = new Gateway();
    const loopback = gateway.addProvider("lo", new LoopbackProvider());
    const server = gateway.addProvider(
      "srv",
      new ForwardServerProvider(config),
    );
    return { gateway, loopback, server };
  }

  test("all get everything, all at the same time", async () => {
    await using three = await clients(3);
    // Each hook waits for all: one after another would never end.
    const all = Promise.withResolvers<void>();
    let arrived = 0;
    for (const gateway of three.gateways) {
      gateway.onReceive.add(() => {
        arrived += 1;
        if (arrived === 3) all.resolve();
        return all.promise;
      });
    }
    const { loopback } = forwardTo({ clients: three.urls });
    await loopback.received("1", "Yo");
    assert.equal(arrived, 3);
  });

  test("concurrency bounds how many are called at a time", async () => {
    await using three = await clients(3);
    let running = 0;
    let most = 0;
    for (const gateway of three.gateways) {
      gateway.onReceive.add(async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
      });
    }
    const { loopback } = forwardTo({ clients: three.urls, concurrency: 1 });
    await loopback.received("1", "Yo");
    assert.equal(most, 1);
  });

  test("all are tried; the first failure in their order is thrown", async () => {
    await using three = await clients(3);
    const reached: number[] = [];
    for (const [index, gateway] of three.gateways.entries()) {
      gateway.onReceive.add(() => {
        reached.push(index);
        if (index === 1) throw new AuthError("second");
        if (index === 2) throw new ServerError("third");
      });
    }
    const { loopback } = forwardTo({ clients: three.urls });
    await assert.rejects(loopback.received("1", "Yo"), (error) => {
      assert.ok(error instanceof AuthError);
      assert.equal(error.message, "second");
      const others: unknown = Reflect.get(error, "otherErrors");
      assert.ok(Array.isArray(others) && others[0] instanceof ServerError);
      return true;
    });
    assert.deepEqual(reached.sort(), [0, 1, 2]);
  });

  test("chooseClients routes texts and statuses, never what is sent", async () => {
    await using two = await clients(2);
    const received: number[] = [];
    for (const [index, gateway] of two.gateways.entries()) {
      gateway.onReceive.add(() => void received.push(index));
      gateway.onStatus.add(() => void received.push(index));
    }
    const asked: unknown[] = [];
    const { gateway, loopback } = forwardTo({
      clients: two.urls,
      chooseClients: async (object) => {
        asked.push(object);
        return two.urls.slice(1);
      },
    });
    await loopback.received("1", "Yo");
    await gateway.send(
      new OutgoingMessage("1", "x").options({ statusReport: true }),
    );
    assert.deepEqual(received, [1, 1]);
    assert.equal(asked.length, 2);
    assert.ok(!asked.some((object) => object instanceof OutgoingMessage));
  });

  test("chooseClients can be overridden in a subclass", async () => {
    await using two = await clients(2);
    const received: number[] = [];
    for (const [index, gateway] of two.gateways.entries()) {
      gateway.onReceive.add(() => void received.push(index));
    }
    class FirstOnly extends ForwardServerProvider {
      override chooseClients(): readonly string[] {
        return two.urls.slice(0, 1);
      }
    }
    const gateway = new Gateway();
    const loopback = gateway.addProvider("lo", new LoopbackProvider());
    gateway.addProvider("srv", new FirstOnly({ clients: two.urls }));
    await loopback.received("1", "Yo");
    assert.deepEqual(received, [0]);
  });

  test("only texts and statuses can be forwarded", async () => {
    const { server } = forwardTo({ clients: [] });
    const message: unknown = hello();
    await assert.rejects(
      server.forward(message as MessageStatus),
      ConfigurationError,
    );
  });
});

describe("circles", () => {
  test("a server that would send through itself says so to its client", async () => {
    await using pair = await createPair();
    pair.serverGateway.defaultProvider = "srv";
    await assert.rejects(pair.clientGateway.send(hello()), (error) => {
      assert.ok(error instanceof ConfigurationError);
      assert.match(error.message, /"srv" is a forward server/);
      return true;
    });
  });

  test("two gateways that forward to each other are found out", async () => {
    const left = new Gateway();
    const right = new Gateway();
    await using leftHttp = await serve(toNodeListener(left.receiverHandler()));
    await using rightHttp = await serve(
      toNodeListener(right.receiverHandler()),
    );
    const connect = (gateway: Gateway, other: TestServer): void => {
      const serverUrl = `${other.url}/srv`;
      gateway.addProvider("fwd", new ForwardClientProvider({ serverUrl }));
      gateway.addProvider("srv", new ForwardServerProvider({ clients: [] }));
    };
    connect(left, rightHttp);
    connect(right, leftHttp);
    await assert.rejects(left.send(hello()), (error) => {
      assert.ok(error instanceof ConfigurationError);
      assert.match(error.message, /circle/);
      return true;
    });
  });

  test("texts that would go round are found out too", async () => {
    const left = new Gateway();
    const right = new Gateway();
    await using leftHttp = await serve(toNodeListener(left.receiverHandler()));
    await using rightHttp = await serve(
      toNodeListener(right.receiverHandler()),
    );
    const loopback = left.addProvider("lo", new LoopbackProvider());
    const connect = (gateway: Gateway, other: TestServer): void => {
      const url = `${other.url}/fwd`;
      gateway.addProvider("fwd", new ForwardClientProvider({ serverUrl: url }));
      gateway.addProvider("srv", new ForwardServerProvider({ clients: [url] }));
    };
    connect(left, rightHttp);
    connect(right, leftHttp);
    await assert.rejects(loopback.received("1", "Yo"), /circle/);
  });
});
