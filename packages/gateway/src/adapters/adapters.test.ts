/** One suite for all adapters: each mounts the same gateway on real HTTP. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type RequestListener, request, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { describe, test } from "node:test";
import express, {
  type Request as ExpressRequest,
  type Response as ExpressResponse,
  type NextFunction,
} from "express";
import Fastify from "fastify";
import { toExpressMiddleware } from "../express.ts";
import { toFastifyPlugin } from "../fastify.ts";
import { toFetchHandler } from "../fetch-handler.ts";
import { Gateway } from "../gateway.ts";
import { type MountedRequest, toNodeListener } from "../node-http.ts";
import { ForwardServerProvider } from "../providers/forward/server-provider.ts";
import type {
  ReceiverHandler,
  ReceiverHandlerOptions,
} from "../receiver-handler.ts";
import { serve } from "../testing/serve.ts";
import { WebhookProvider } from "../testing/webhook-provider.ts";
import type { AdapterOptions } from "./node-request.ts";

/** A framework's application with the receivers mounted at a path of it. */
type Mount = (
  handler: ReceiverHandler,
  options: AdapterOptions,
  at?: string,
) => RequestListener | Promise<RequestListener>;

const elsewhere = (response: ServerResponse): void => {
  response.writeHead(200).end("elsewhere");
};

const MOUNTS: Readonly<Record<string, Mount>> = {
  "node:http": (handler, options, at = "") => {
    const listener = toNodeListener(handler, options);
    return (request: MountedRequest, response) => {
      // As Connect mounts a listener.
      const originalUrl = request.url ?? "/";
      const isBelow = originalUrl.startsWith(at);
      const url = isBelow ? originalUrl.slice(at.length) : originalUrl;
      const mounted = Object.assign(request, { originalUrl, url });
      listener(mounted, response, () => elsewhere(response));
    };
  },
  express: (handler, options, at = "/") => {
    const app = express();
    app.use(at, toExpressMiddleware(handler, options));
    app.use((_request, response) => elsewhere(response));
    return app;
  },
  fastify: async (handler, options, at) => {
    const app = Fastify();
    app.register(
      toFastifyPlugin(handler, options),
      at === undefined ? {} : { prefix: at },
    );
    app.setNotFoundHandler((_request, reply) =>
      reply.code(200).send("elsewhere"),
    );
    await app.ready();
    return app.routing;
  },
  "Request and Response":
    (handler, options, at = "") =>
    async (request, response) => {
      // As platforms mount a function: the URL without the part it mounted at.
      const url = new URL(`http://${request.headers.host}${request.url}`);
      const { remoteAddress } = request.socket;
      const mounted = new URL(url);
      if (!url.pathname.startsWith(at)) return elsewhere(response);
      mounted.pathname = url.pathname.slice(at.length);
      if (!handler.matches(mounted.href)) return elsewhere(response);
      const { method = "GET" } = request;
      const hasBody = method !== "GET" && method !== "HEAD";
      const publicUrl = options.publicUrl?.replace(/\/$/, "");
      const answer = await toFetchHandler(handler)(
        new Request(mounted, {
          method,
          headers: Object.entries(request.headers).map(([name, value]) => [
            name,
            String(value),
          ]),
          ...(hasBody && { body: Readable.toWeb(request), duplex: "half" }),
        } as RequestInit),
        {
          url: publicUrl === undefined ? url.href : publicUrl + request.url,
          ...(remoteAddress !== undefined && { remoteAddress }),
        },
      );
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.end(await answer.text());
    },
};

for (const [name, mount] of Object.entries(MOUNTS)) {
  describe(`on ${name}`, () => {
    async function setUp(
      options: AdapterOptions & ReceiverHandlerOptions = {},
      at?: string,
    ) {
      const gateway = new Gateway();
      const provider = gateway.addProvider("main", new WebhookProvider());
      const handler = gateway.receiverHandler({ prefix: "/p/q/", ...options });
      const server = await serve(await mount(handler, options, at));
      return { gateway, provider, ...server };
    }

    test("mounted as the framework does it, with or without a prefix", async () => {
      for (const [at, prefix, path] of [
        ["/x/y", "", "/x/y/main/im"],
        ["/x", "p", "/x/p/main/im"],
        [undefined, "p/q", "/p/q/main/im"],
        [undefined, "", "/main/im"],
      ] as const) {
        await using served = await setUp({ prefix }, at);
        const response = await fetch(`${served.url}${path}?a=1`, {
          method: "POST",
          body: "from=1&text=x",
        });
        assert.equal(response.status, 200, path);
        const [request] = served.provider.requests;
        // Signatures cover what the carrier called.
        assert.equal(request?.url, `${served.url}${path}?a=1`);
        assert.equal(request?.query.get("a"), "1");
        const other = await fetch(`${served.url}${at ?? ""}/none/im`);
        assert.equal(await other.text(), "elsewhere");
      }
    });

    test("takes a body of whatever type, and hands the type on", async () => {
      await using served = await setUp();
      for (const type of ["", "nonsense", "a/b/c; x", "application/json"]) {
        const response = await fetch(`${served.url}/p/q/main/im`, {
          method: "POST",
          body: "from=1&text=x",
          headers: { "content-type": type },
        });
        assert.equal(response.status, 200, type);
        const last = served.provider.requests.at(-1);
        assert.equal(last?.headers["content-type"], type);
      }
    });

    test("a body in chunks too small for its length is too large", async () => {
      await using served = await setUp();
      const { port, hostname } = new URL(served.url);
      for (const [size, status] of [
        [1, 413],
        [1024, 200],
      ] as const) {
        const chunk = `${size.toString(16)}\r\n${"x".repeat(size)}\r\n`;
        const socket = connect(Number(port), hostname);
        const answer = once(socket, "data");
        socket.write(
          `POST /p/q/main/im HTTP/1.1\r\nHost: ${hostname}\r\nTransfer-Encoding: chunked\r\n\r\nc\r\nfrom=1&text=\r\n${chunk.repeat(200)}0\r\n\r\n`,
        );
        const [data] = await answer;
        socket.destroy();
        // A platform that hands over a stream has put chunks together, or not.
        const expected = name === "Request and Response" ? 200 : status;
        assert.match(String(data), new RegExp(`^HTTP/1.1 ${expected} `));
      }
      assert.equal(served.provider.requests.at(-1)?.rawBody.length, 204_812);
    });

    test("every other method is 405 with those there are", async () => {
      await using served = await setUp();
      for (const method of ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]) {
        const url = `${served.url}/p/q/main/im`;
        const response = await fetch(url, { method });
        assert.equal(response.status, 405, method);
        assert.equal(response.headers.get("allow"), "POST");
      }
    });

    test("a text gets in, and the answer out", async () => {
      await using served = await setUp();
      const texts: string[] = [];
      served.gateway.onReceive.add((m) => void texts.push(m.body));
      const response = await fetch(`${served.url}/p/q/main/im?x=%20y`, {
        method: "POST",
        body: "from=1&text=%C5%BE",
        headers: { "x-header": "v" },
      });
      assert.equal(response.status, 200);
      assert.equal(await response.text(), "OK");
      assert.match(response.headers.get("content-type") ?? "", /^text\/plain/);
      assert.deepEqual(texts, ["ž"]);
      const [request] = served.provider.requests;
      assert.equal(request?.url, `${served.url}/p/q/main/im?x=%20y`);
      assert.equal(request?.query.get("x"), " y");
      assert.equal(request?.headers["x-header"], "v");
      assert.match(request?.remoteAddress ?? "", /127\.0\.0\.1/);
    });

    test("statuses of errors are the receiver's", async () => {
      await using served = await setUp();
      served.gateway.onReceive.add(() => {
        throw new Error("no");
      });
      const status = async (path: string, body: string) =>
        (await fetch(served.url + path, { method: "POST", body })).status;
      assert.equal(await status("/p/q/main/im", "from=1"), 400);
      assert.equal(await status("/p/q/main/im", "from=1&text=x"), 500);
      assert.equal(await status("/p/q/main/status", ""), 405);
    });

    test("what is no receiver's is left to others, or 404", async () => {
      await using served = await setUp();
      const other = await fetch(`${served.url}/other`);
      assert.equal(await other.text(), "elsewhere");
    });

    test("JSON leaves without a charset, as forward peers need it", async () => {
      await using served = await setUp();
      const { gateway } = served;
      gateway.addProvider("srv", new ForwardServerProvider({ clients: [] }));
      const url = `${served.url}/p/q/srv/im`;
      const response = await fetch(url, { method: "POST", body: "{}" });
      assert.equal(response.status, 400);
      assert.equal(response.headers.get("content-type"), "application/json");
    });

    test("GET works without a body", async () => {
      await using served = await setUp();
      const response = await fetch(`${served.url}/p/q/main/status?id=1`);
      assert.equal(response.status, 200);
    });

    test("reading stops at the limit, and the answer is 413", async () => {
      await using served = await setUp({ maxBodyBytes: 1000 });
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      const sending = request(`${served.url}/p/q/main/im`, { method: "POST" });
      sending.on("response", (response) => resolve(response.statusCode ?? 0));
      sending.on("error", reject);
      // Never ended: the answer must come without the rest.
      sending.write("x".repeat(2000));
      assert.equal(await promise, 413);
      sending.destroy();
      assert.equal(served.provider.requests.length, 0);
    });

    test("the public URL replaces what the request says", async () => {
      await using served = await setUp({ publicUrl: "https://sms.example/" });
      await fetch(`${served.url}/p/q/main/status?id=1`);
      const [request] = served.provider.requests;
      assert.equal(request?.url, "https://sms.example/p/q/main/status?id=1");
    });
  });
}

test("without a next listener, node:http answers 404", async () => {
  const listener = toNodeListener(new Gateway().receiverHandler());
  await using served = await serve((req, res) => listener(req, res));
  assert.equal((await fetch(served.url)).status, 404);
});

test("Express bodies that were read raw are used", async () => {
  const gateway = new Gateway();
  gateway.addProvider("main", new WebhookProvider());
  const app = express();
  app.use(express.raw({ type: "*/*" }));
  app.use(toExpressMiddleware(gateway.receiverHandler()));
  await using served = await serve(app);
  const options = { method: "POST", body: "from=1&text=x" };
  assert.equal((await fetch(`${served.url}/main/im`, options)).status, 200);
});

test("answers an error in Express when a parser has read the body already", async () => {
  const gateway = new Gateway();
  gateway.addProvider("main", new WebhookProvider());
  const app = express();
  app.use(express.urlencoded());
  app.use(toExpressMiddleware(gateway.receiverHandler()));
  app.use(
    (
      error: Error,
      _request: ExpressRequest,
      response: ExpressResponse,
      _next: NextFunction,
    ) => {
      response.status(599).send(error.message);
    },
  );
  await using served = await serve(app);
  const response = await fetch(`${served.url}/main/im`, {
    method: "POST",
    body: new URLSearchParams({ from: "1" }),
  });
  assert.equal(response.status, 599);
  assert.match(await response.text(), /mount the receivers before it/);
});

test("an adapter given a gateway says what it takes", () => {
  const gateway: unknown = new Gateway();
  for (const adapt of [
    toNodeListener,
    toExpressMiddleware,
    toFastifyPlugin,
    toFetchHandler,
  ]) {
    assert.throws(() => adapt(gateway as ReceiverHandler), {
      name: "ConfigurationError",
      message: /takes gateway.receiverHandler\(\), got a Gateway/,
    });
  }
});

test("a caller that hangs up half-way troubles nobody", async () => {
  const gateway = new Gateway();
  gateway.addProvider("main", new WebhookProvider());
  const listener = toNodeListener(gateway.receiverHandler());
  const closed = Promise.withResolvers<void>();
  await using served = await serve((req, res) => {
    res.on("close", () => closed.resolve());
    listener(req, res);
    sending.destroy();
  });
  const sending = request(`${served.url}/main/im`, { method: "POST" });
  sending.on("error", () => {});
  sending.write("from=1");
  await closed.promise;
});
