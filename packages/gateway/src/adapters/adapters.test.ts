/** One suite for all adapters: each mounts the same gateway on real HTTP. */

import assert from "node:assert/strict";
import {
  type IncomingMessage,
  type RequestListener,
  request,
  type ServerResponse,
} from "node:http";
import { describe, test } from "node:test";
import { type ExpressRequest, toExpressMiddleware } from "../express.ts";
import { type FastifyInstanceLike, toFastifyPlugin } from "../fastify.ts";
import { Gateway } from "../gateway.ts";
import { toNodeListener } from "../node-http.ts";
import { ForwardServerProvider } from "../providers/forward/server-provider.ts";
import type { ReceiverHandler } from "../receiver-handler.ts";
import { serve } from "../testing/serve.ts";
import { WebhookProvider } from "../testing/webhook-provider.ts";
import type { AdapterOptions } from "./node-request.ts";

type Mount = (
  handler: ReceiverHandler,
  options: AdapterOptions,
) => RequestListener | Promise<RequestListener>;

const elsewhere = (response: ServerResponse): void => {
  response.writeHead(200).end("elsewhere");
};

/** What Express adds to a request before it calls a middleware. */
function expressRequest(
  request: IncomingMessage,
  more: { body?: unknown; ip?: string } = {},
): ExpressRequest {
  const ip = request.socket.remoteAddress;
  const originalUrl = request.url ?? "/";
  return Object.assign(request, { originalUrl, ip, protocol: "http", ...more });
}

/** As much of Fastify as the plugin meets: one route, one parser. */
async function fastifyListener(
  plugin: (app: FastifyInstanceLike) => Promise<void>,
): Promise<RequestListener> {
  type Parser = (request: unknown, payload: IncomingMessage) => unknown;
  interface Route {
    readonly method: string[];
    readonly url: string;
    handler(request: object, reply: object): Promise<unknown>;
  }
  let parser: Parser | undefined;
  let route: Route | undefined;
  await plugin({
    removeAllContentTypeParsers() {},
    addContentTypeParser(contentType: string, added: Parser) {
      assert.equal(contentType, "*");
      parser = added;
    },
    route(added: Route) {
      route = added;
    },
  });
  assert.ok(parser && route);
  const parse = parser;
  const { url, method, handler } = route;
  return async (request, response) => {
    const path = request.url ?? "/";
    const inside = path.startsWith(url.slice(0, -1));
    if (!inside || !method.includes(request.method ?? "")) {
      elsewhere(response);
      return;
    }
    const hasBody = request.method !== "GET";
    const body = hasBody ? await parse({}, request) : undefined;
    await handler(
      {
        method: request.method ?? "GET",
        originalUrl: path,
        headers: request.headers,
        ip: request.socket.remoteAddress ?? "",
        protocol: "http",
        body,
      },
      {
        code: (status: number) => {
          response.statusCode = status;
        },
        header: (name: string, value: string) =>
          response.setHeader(name, value),
        send: (payload: unknown) => {
          // The real one adds a charset to the type of text.
          const type = String(response.getHeader("content-type"));
          if (typeof payload === "string" && !type.includes("charset")) {
            response.setHeader("content-type", `${type}; charset=utf-8`);
          }
          response.end(payload);
        },
      },
    );
  };
}

const MOUNTS: Readonly<Record<string, Mount>> = {
  "node:http": (handler, options) => {
    const listener = toNodeListener(handler, options);
    return (request, response) =>
      listener(request, response, () => elsewhere(response));
  },
  express: (handler, options) => {
    const middleware = toExpressMiddleware(handler, options);
    return (request, response) =>
      middleware(expressRequest(request), response, (error) => {
        if (error) response.writeHead(599).end(String(error));
        else elsewhere(response);
      });
  },
  fastify: (handler, options) =>
    fastifyListener(toFastifyPlugin(handler, options)),
};

for (const [name, mount] of Object.entries(MOUNTS)) {
  describe(`on ${name}`, () => {
    async function setUp(options: AdapterOptions = {}) {
      const gateway = new Gateway();
      const provider = gateway.addProvider("main", new WebhookProvider());
      const handler = gateway.receiverHandler({ prefix: "/p/q/" });
      const server = await serve(await mount(handler, options));
      return { gateway, provider, ...server };
    }

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
  const middleware = toExpressMiddleware(gateway.receiverHandler());
  await using served = await serve((req, res) => {
    const body = Buffer.from("from=1&text=x");
    middleware(expressRequest(req, { body }), res, () => elsewhere(res));
  });
  const options = { method: "POST", body: "ignored" };
  assert.equal((await fetch(`${served.url}/main/im`, options)).status, 200);
});

test("answers an error in Express when a parser has read the body already", async () => {
  const gateway = new Gateway();
  gateway.addProvider("main", new WebhookProvider());
  const middleware = toExpressMiddleware(gateway.receiverHandler());
  const failures: unknown[] = [];
  await using served = await serve((req, res) => {
    req.resume().on("end", () => {
      const body = { from: "1" };
      middleware(expressRequest(req, { body }), res, (error) => {
        failures.push(error);
        elsewhere(res);
      });
    });
  });
  await fetch(`${served.url}/main/im`, { method: "POST", body: "from=1" });
  assert.match(String(failures[0]), /mount the receivers before it/);
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
