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
import { assertCost } from "@carillon/testing";
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

/** A body with the value in that field. */
type Body = (field: string) => Buffer;

/** What cost too much in a few runs, beside which something else may have gone on. */
interface Suspect {
  readonly place: Place;
  readonly shape: string;
  readonly body: Body;
  readonly plain: Body;
}

const runs = 3;
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
  const suspects: Suspect[] = [];
  for (const [bytes, ofSize] of Map.groupBy(places, sizeOf)) {
    const room = bytes - headBytes - 1;
    const plain = bodyWith(text(room));
    const plainUs = new Map<Place, number>();
    for await (const place of reachable(ofSize)) {
      plainUs.set(place, await leastUs(() => send(place, plain)));
    }
    for (const [shape, value] of hostileValues(room, jsonLimitsOf(bytes))) {
      const body = bodyWith(value);
      for await (const place of reachable(ofSize)) {
        const limitUs = maxRatio * (plainUs.get(place) ?? 0);
        const us = await leastUs(() => send(place, body), limitUs);
        if (us > limitUs) suspects.push({ place, shape, body, plain });
      }
    }
  }
  const tooDear: string[] = [];
  for (const { place, shape, body, plain } of suspects) {
    await addTopic();
    try {
      await assertCost(() => send(place, body), {
        atMost: maxRatio,
        timesThatOf: () => send(place, plain),
      });
    } catch (error) {
      if (!(error instanceof assert.AssertionError)) throw error;
      const { method, url } = place.route;
      tooDear.push(
        `${method} ${url} ${place.field}: ${shape}. ${error.message}`,
      );
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

/** Room for what is before the value in a body. */
const headBytes = 128;

/** The value, of ASCII, is written once for all fields; each body ends the one before. */
function bodyWith(value: string): Body {
  const bytes = Buffer.from(`${" ".repeat(headBytes)}${value}}`, "latin1");
  return (field) => {
    const head = `{${JSON.stringify(field)}:`;
    const start = headBytes - head.length;
    bytes.write(head, start, "latin1");
    return bytes.subarray(start);
  };
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
  const small = Math.floor(bytes / 16);
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

/**
 * Of its bodies. A body beyond those of messages is bounded as these are, so that
 * a field that costs more than its length does so in these, too; that the largest
 * are read as well shows one of the fields.
 */
function sizeOf({ route: { bytes, fields }, field }: Place): number {
  return field === fields[0]?.name ? bytes : Math.min(bytes, messageBodyBytes);
}

/** A text of so many bytes in JSON, quotes included. */
function text(bytes: number, unit = "x"): string {
  return `"${unit.repeat(Math.max(0, Math.floor((bytes - 2) / unit.length)))}"`;
}

/** Nothing in it waits for anything. */
async function send({ route, field }: Place, body: Body): Promise<void> {
  const { method, url } = route;
  const { statusCode } = await server.app.inject({
    method,
    url: url.replace(/:(\w+)/g, (_, name: string) => parameterOf(name)),
    headers: {
      authorization: server.authorization,
      "content-type": "application/json",
    },
    payload: body(field),
  });
  const where = `${method} ${url} ${field}: ${statusCode}`;
  assert.ok(statusCode < 500 || statusCode === 501, where);
  assert.notEqual(statusCode, 413, `${where}, unread`);
}

/**
 * How long the processor works, in µs: the least of some runs, or the first one
 * that is little enough.
 */
async function leastUs(run: () => Promise<void>, enough = 0): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let n = 0; n < runs && least > enough; n++) {
    const before = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, user + system);
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
  const { bodyLimit = defaultBodyBytes, config } = route;
  const bytes = Math.min(bodyLimit, config?.bodyBytes?.() ?? bodyLimit);
  const fields = Object.entries(body?.properties ?? {}).map(
    ([name, schema]) => ({ name, kind: kindOf(name, schema, bytes) }),
  );
  return [route.method]
    .flat()
    .filter((method): method is Method => method !== "GET" && method !== "HEAD")
    .map((method) => ({
      method,
      url: route.url,
      bytes,
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
const unchecked = new Set(["description", "default", "errorCode"]);

/** Name and schema of a field, without what only people read. */
function kindOf(name: string, schema: Schema, bytes: number): string {
  const checked = JSON.stringify(schema, (key, value) =>
    typeof value !== "object" && unchecked.has(key) ? undefined : value,
  );
  return refusesAll(schema, bytes) ? checked : `${name} ${checked}`;
}

interface Schema {
  readonly type?: string;
  readonly maxLength?: number;
  readonly anyOf?: readonly Schema[];
}

/** Whether no route sees what is given: no hostile value of so many bytes is one. */
function refusesAll(schema: Schema, bytes: number): boolean {
  const { type = "", maxLength = bytes, anyOf } = schema;
  if (anyOf) return anyOf.every((one) => refusesAll(one, bytes));
  // The shortest texts are of escapes, which are six bytes each.
  if (type === "string") return maxLength < bytes / 8;
  return ["boolean", "integer", "null"].includes(type);
}

/** Each kind of field once for each size of bodies that it is given. */
function withoutRepeated(all: readonly Route[]): readonly Route[] {
  const seen = new Set<string>();
  return all.flatMap((route) => {
    const fields = route.fields.filter(({ name, kind }) => {
      const size = sizeOf({ route, field: name });
      const isNew = !seen.has(`${size} ${kind}`);
      seen.add(`${size} ${kind}`);
      return isNew;
    });
    return fields.length > 0 ? [{ ...route, fields }] : [];
  });
}
