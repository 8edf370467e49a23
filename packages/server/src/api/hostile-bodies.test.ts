/**
 * Every route that takes a body, from the server's own table, with the largest
 * bodies it reads in shapes that cost a parser or a check the most: the event
 * loop is blocked at most three times as long as by one text of as many bytes.
 * Whoever adds a route need not add it here.
 */

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import type { JsonLimits } from "@carillon/core";
import type { RouteOptions } from "fastify";
import {
  startTestServer,
  type TestServer,
} from "../../test-support/test-server.ts";
import {
  defaultBodyBytes,
  jsonLimitsOf,
  messageBodyBytes,
} from "./json-body.ts";

type Method = "POST" | "PUT" | "PATCH" | "DELETE";

interface Route {
  readonly method: Method;
  readonly url: string;
  /** Of the largest body that is read. */
  readonly bytes: number;
  /** Members of the body that the schema names; some that others take. */
  readonly fields: readonly Field[];
}

interface Field {
  readonly name: string;
  /** The same for fields of other routes that are checked alike. */
  readonly kind: string;
}

/** Where a value stands in a body. */
interface Place {
  readonly route: Route;
  readonly field: string;
}

const runs = 5;
const retries = 8;
const maxRatio = 3;

let server: TestServer;
let routes: readonly Route[];

before(async () => {
  server = await startTestServer();
  await addTopic();
  routes = withoutRepeated(server.routes.flatMap(toRoutes));
});

after(async () => {
  await server?.[Symbol.asyncDispose]();
});

test("no body costs more than three times what one text of its size does", async () => {
  assert.ok(routes.length >= 40, `${routes.length} routes`);
  const places = routes.flatMap((route) =>
    route.fields.map(({ name }) => ({ route, field: name })),
  );
  // All of a size together: the largest values take longer to write than to refuse.
  const sizes = Map.groupBy(places, ({ route }) => route.bytes);
  let suspects: (() => Promise<string | undefined>)[] = [];
  for (const [bytes, ofSize] of sizes) {
    const longest = Math.max(...ofSize.map((it) => within(it, "").length));
    const room = bytes - longest;
    const plain = text(room);
    const plainUs = new Map<Place, number>();
    for await (const place of reachable(ofSize)) {
      plainUs.set(place, await cost(place, plain));
    }
    for (const [shape, value] of hostileValues(room, jsonLimitsOf(bytes))) {
      for await (const place of reachable(ofSize)) {
        const limitUs = maxRatio * (plainUs.get(place) ?? 0);
        if ((await cost(place, value, limitUs)) <= limitUs) continue;
        const { route, field } = place;
        suspects.push(async () => {
          await addTopic();
          const limitUs = maxRatio * (await cost(place, plain));
          const hostileUs = await cost(place, value, limitUs);
          if (hostileUs <= limitUs) return undefined;
          return `${route.method} ${route.url} ${field}: ${shape}, ${hostileUs} µs where ${limitUs} µs are allowed`;
        });
      }
    }
  }
  // Another process may have had the processor: both again, and later.
  let tooDear: string[] = [];
  for (let i = 0; i < retries && suspects.length > 0; i++) {
    tooDear = [];
    const before = suspects;
    suspects = [];
    for (const suspect of before) {
      const found = await suspect();
      if (found === undefined) continue;
      tooDear.push(found);
      suspects.push(suspect);
    }
  }
  assert.deepEqual(tooDear, []);
});

test("fields that are checked alike are tried once, and others each", () => {
  const route = (url: string, bytes: number, properties: object) =>
    ({
      method: "PUT",
      url,
      bodyLimit: bytes,
      schema: { body: { properties } },
    }) as never;
  const string = { type: "string", description: "one" };
  const boolean = { type: "boolean" };
  const tried = withoutRepeated(
    [
      route("/a", 1, { text: string, isOpen: boolean }),
      route("/b", 1, {
        text: { ...string, description: "another" },
        isLocked: boolean,
        title: string,
      }),
      route("/c", 2, { text: string }),
      route("/d", 1, { text: { ...string, maxLength: 9 } }),
    ].flatMap(toRoutes),
  );
  assert.deepEqual(
    tried.map(({ url, fields }) => [url, ...fields.map(({ name }) => name)]),
    [
      ["/a", "text", "isOpen"],
      ["/b", "title"],
      ["/c", "text"],
      ["/d", "text"],
    ],
  );
});

test("a message of 256 KB is taken in its longest escapes", async () => {
  await addTopic();
  const { statusCode, body } = await server.app.inject({
    method: "POST",
    url: `${server.base}/topics/${server.topicUrn("alerts")}/publish`,
    headers: { authorization: server.authorization },
    payload: `{"message":"${"\\u0061".repeat(262_144)}"}`,
  });
  assert.equal(statusCode, 200, body);
});

test("too much in a body is refused, whatever the API", async () => {
  const deep = "[".repeat(65) + "]".repeat(65);
  const many = `{"tags":[${"1,".repeat(20_000)}1]}`;
  for (const [url, payload] of [
    [`${server.base}/topics/${server.topicUrn("alerts")}/publish`, many],
    [`${server.base}/topics`, deep],
    ["/api/v2/users", deep],
    ["/v3/auth/tokens", deep],
  ] as const) {
    const { statusCode, body } = await server.app.inject({
      method: "POST",
      url,
      headers: { authorization: server.authorization },
      payload,
    });
    assert.equal(statusCode, 400, url);
    assert.match(body, /at most \d+ values/, url);
  }
});

test("a body in small chunks is refused in the shape of each API", async () => {
  const port = await server.listen();
  const signature = `X-Sdk-Date: 20260101T000000Z\r\nAuthorization: SDK-HMAC-SHA256 Access=${server.credentials.accessKey}, SignedHeaders=host;x-sdk-date, Signature=${"0".repeat(64)}`;
  const basic = `Authorization: ${server.authorization}`;
  const receivers = `/receivers/${server.credentials.receiverSecret}`;
  for (const [method, path, head, answer] of [
    ["POST", `${server.base}/topics`, basic, /^HTTP\/1.1 400.*APIGW\.0201/s],
    ["POST", `${server.base}/topics`, signature, /^HTTP\/1.1 400.*APIGW/s],
    ["GET", `${server.base}/topics`, signature, /^HTTP\/1.1 400.*APIGW/s],
    ["POST", "/api/v2/users", basic, /^HTTP\/1.1 400.*BODY_FRAGMENTED/s],
    ["POST", "/v3/auth/tokens", "X: y", /^HTTP\/1.1 400.*"title"/s],
    ["POST", "/none", "X: y", /^HTTP\/1.1 400/],
    ["POST", `${receivers}/null/im`, "X: y", /^HTTP\/1.1 4(04|13)/],
    ["POST", `${server.base}/topics`, "X-Auth-Token: x", /^HTTP\/1.1 401/],
  ] as const) {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    let text = "";
    socket.on("data", (data) => {
      text += data;
    });
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: h\r\n${head}\r\nTransfer-Encoding: chunked\r\n\r\n${"1\r\n \r\n".repeat(10_000)}`,
    );
    // Without the end of the body: nobody waits for it.
    await closed;
    assert.match(text, answer, `${method} ${path} ${head}`);
  }
});

async function addTopic(): Promise<void> {
  await server.call("POST", `${server.base}/topics`, { name: "alerts" });
}

/** The places, each when there is a topic: one of the routes deletes it. */
async function* reachable(places: readonly Place[]): AsyncIterable<Place> {
  let last: Route | undefined;
  for (const place of places) {
    if (place.route !== last) await addTopic();
    last = place.route;
    yield place;
  }
}

/** A body that has the value in that place. */
function within({ field }: Place, value: string): string {
  return `{${JSON.stringify(field)}:${value}}`;
}

/** Values of at most as many bytes of JSON. */
function* hostileValues(
  bytes: number,
  { values, members, depth }: JsonLimits,
): Iterable<[shape: string, value: string]> {
  const list = (count: number, item: (i: number) => string) =>
    `[${Array.from({ length: count }, (_, i) => item(i)).join()}]`;
  const fill = (item: string) => item.repeat(Math.floor(bytes / item.length));
  const most = Math.min(values - 10, Math.floor(bytes / 2) - 1);
  yield ["a list as long as may be", list(most, () => "1")];
  yield ["a longer list", list(Math.floor(bytes / 2) - 1, () => "1")];
  const texts = Math.min(values - 10, Math.floor(bytes / 8));
  yield ["a list of texts", list(texts, (i) => `"${i}"`)];
  const objects = Math.min(values - 10, Math.floor(bytes / 3) - 1);
  yield ["a list of objects", list(objects, () => "{}")];
  const names = Math.min(members - 10, Math.floor(bytes / 12));
  const size = Math.floor(bytes / names) - 5;
  const object = (count: number, value: string) =>
    `{${Array.from({ length: count }, (_, i) => `"${String(i).padStart(size - value.length + 1, "n")}":${value}`).join()}}`;
  yield ["an object of many texts", object(names, '""')];
  yield ["an object of many numbers", object(names, "1")];
  const small = Math.floor(bytes / 12);
  yield [
    "an object of more members",
    `{${Array.from({ length: small }, (_, i) => `"n${i}":1`).join()}}`,
  ];
  const inner = depth - 2;
  const nest = "[".repeat(inner) + "]".repeat(inner);
  const nests = Math.floor(
    Math.min(values / inner - 1, bytes / nest.length - 1),
  );
  yield ["lists in lists", list(nests, () => nest)];
  yield ["lists in more lists", fill("[")];
  yield ["a long number", fill("1")];
  yield ["a long fraction", `0.${"1".repeat(bytes - 2)}`];
  yield ["digits", text(bytes, "1")];
  yield ["a pattern of stars", text(bytes, "*a")];
  yield ["a pattern of question marks", text(bytes, "*?")];
  yield ["spaces", text(bytes, " ")];
  yield ["separators", text(bytes, ":")];
  yield ["escapes", text(bytes, "\\u0061")];
  yield ["tags of templates", text(bytes, "{a}")];
  // Some fields are JSON in a text.
  yield ["a list in a text", text(bytes, "[")];
  const item = '\\"n\\":\\"\\",';
  yield [
    "an object in a text",
    `"{${item.repeat((bytes - 20) / item.length)}\\"n\\":\\"\\"}"`,
  ];
}

/** A text of so many bytes in JSON, quotes included. */
function text(bytes: number, unit = "x"): string {
  return `"${unit.repeat(Math.max(0, Math.floor((bytes - 2) / unit.length)))}"`;
}

/**
 * How long the request takes, in µs; nothing in it waits for anything: the least of five runs,
 * or the first one that is little enough.
 */
async function cost(place: Place, value: string, enough = 0): Promise<number> {
  const { method, url } = place.route;
  const path = url.replace(/:(\w+)/g, (_, name: string) => parameterOf(name));
  const payload = within(place, value);
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs && least > enough; run++) {
    const started = performance.now();
    const { statusCode } = await server.app.inject({
      method,
      url: path,
      headers: {
        authorization: server.authorization,
        "content-type": "application/json",
      },
      payload,
    });
    const tookUs = Math.round((performance.now() - started) * 1000);
    assert.ok(statusCode < 500 || statusCode === 501, `${method} ${url}`);
    least = Math.min(least, tookUs);
  }
  return least;
}

function parameterOf(name: string): string {
  switch (name) {
    case "project_id":
      return server.credentials.project.id;
    case "topic_urn":
    case "topicUrn":
      return server.topicUrn("alerts");
    default:
      return "0123456789abcdef0123456789abcdef";
  }
}

function toRoutes(route: RouteOptions): Route[] {
  const { body } = (route.schema ?? {}) as { body?: { properties?: object } };
  const fields = Object.entries(body?.properties ?? {}).map(
    ([name, schema]) => ({ name, kind: kindOf(name, schema) }),
  );
  const { bodyLimit = defaultBodyBytes } = route;
  return [route.method]
    .flat()
    .filter((method): method is Method => method !== "GET" && method !== "HEAD")
    .map((method) => ({
      method,
      url: route.url,
      bytes: bodyLimit,
      fields:
        fields.length > 0
          ? fields
          : ["value", "tags"].map((name) => ({
              name,
              // Read by code of the route's own.
              kind: `${method} ${route.url} ${name}`,
            })),
    }));
}

/** Members of a schema that no value is refused for. */
const unchecked = new Set(["description", "default"]);

/** Name and schema of a field, without what only people read. */
function kindOf(name: string, schema: object): string {
  const checked = JSON.stringify(schema, (key, value) =>
    typeof value !== "object" && unchecked.has(key) ? undefined : value,
  );
  // No route sees what is given in their place: no hostile value is one.
  const isNeverMet =
    "type" in schema && ["boolean", "integer"].includes(String(schema.type));
  return isNeverMet ? checked : `${name} ${checked}`;
}

/**
 * Each kind of field once for each size of bodies; of routes with larger bodies
 * than most only fields that no other has, for each of their bodies takes as
 * long as six of the others.
 */
function withoutRepeated(all: readonly Route[]): readonly Route[] {
  const isLarge = ({ bytes }: Route) => bytes > messageBodyBytes;
  const usual = new Set(
    all
      .filter((it) => !isLarge(it))
      .flatMap(({ fields }) => fields.map(({ name }) => name)),
  );
  const seen = new Set<string>();
  return all.flatMap((route) => {
    const fields = route.fields.filter(({ name, kind }) => {
      if (isLarge(route) && usual.has(name)) return false;
      const inSize = `${route.bytes} ${kind}`;
      const isNew = !seen.has(inSize);
      seen.add(inSize);
      return isNew;
    });
    return fields.length > 0 ? [{ ...route, fields }] : [];
  });
}
