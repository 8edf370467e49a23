/**
 * No request costs the server more than its size: what a hostile client writes
 * takes the processor of a whole program about as long as the same number of
 * bytes in plain bodies does.
 */

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { publishPath } from "./harness/api.ts";
import {
  basicAuthorization,
  CarillonProcess,
} from "./harness/carillon-process.ts";
import {
  createFolder,
  type TemporaryFolder,
} from "./harness/temporary-folder.ts";
import { within } from "./harness/until.ts";

const connections = 100;
const bytes = 60_000;

/** Measured: 1 to 2; without bounds 7 to 55. */
const maxRatio = 4;

/** The kernel counts in hundredths of a second, and other work goes on. */
const slackMs = 50;

let folder: TemporaryFolder;
let server: CarillonProcess;
let plainMs: number;

const path = publishPath("none");
const body = '{"message":"x"}';
const close = "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

before(async () => {
  folder = await createFolder();
  server = await CarillonProcess.start({ data: folder.path });
  const plain = `POST ${path} HTTP/1.1\r\nHost: h\r\nAuthorization: ${basicAuthorization}\r\nContent-Length: ${bytes}\r\nConnection: close\r\n\r\n${" ".repeat(bytes)}`;
  // Compiles what the others use, too.
  await costMs(plain);
  plainMs = await costMs(plain);
});

after(async () => {
  await server?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

const chunked = (head: string) =>
  `POST ${path} HTTP/1.1\r\nHost: h\r\n${head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n${fill("1\r\nx\r\n")}0\r\n\r\n`;
const publish = (head: string) =>
  `POST ${path} HTTP/1.1\r\nHost: h\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`;
const authorized = `Authorization: ${basicAuthorization}\r\n`;

for (const [name, wire] of [
  ["requests that do not wait", fill("GET /v2 HTTP/1.1\r\nHost: h\r\n\r\n")],
  ["requests without a host", fill("GET / HTTP/1.1\r\n\r\n")],
  [
    "requests of HTTP/1.0",
    fill("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
  ],
  ["publishes that do not wait", fill(publish(authorized))],
  ["publishes with a wrong token", fill(publish("X-Auth-Token: wrong\r\n"))],
  [
    "requests behind a long body",
    `POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1500\r\n\r\n${"x".repeat(1500)}${fill("GET / HTTP/1.1\r\nHost: h\r\n\r\n")}`,
  ],
  ["a body byte by byte", chunked(authorized)],
  [
    "a body byte by byte with a wrong token",
    chunked("X-Auth-Token: wrong\r\n"),
  ],
] as const) {
  test(`${name} cost what their bytes cost`, { timeout: 120_000 }, async () => {
    const ms = await costMs(wire + close);
    assert.ok(
      ms <= maxRatio * plainMs + slackMs,
      `${ms} ms against ${plainMs} ms`,
    );
  });
}

const piece = "x".repeat(16_384);

for (const [name, head, more] of [
  ["of a length", "Content-Length: 1000000000000\r\n\r\n", piece],
  ["in chunks", "Transfer-Encoding: chunked\r\n\r\n", `4000\r\n${piece}\r\n`],
] as const) {
  test(`a body ${name} that nobody reads is not read without end`, async () => {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    const closed = new Promise<void>((resolve) => {
      socket.on("error", () => {}).on("close", () => resolve());
    });
    socket.write(`GET /healthz HTTP/1.1\r\nHost: h\r\n${head}`);
    const pour = () => {
      while (!socket.destroyed && socket.write(more));
    };
    socket.on("drain", pour).resume();
    pour();
    await within(closed, "the connection is closed", 20_000);
  });
}

test("a server under attack answers others, and goes on", async () => {
  const flood = fill("GET /v2 HTTP/1.1\r\nHost: h\r\n\r\n");
  const attack = Promise.all(
    Array.from({ length: connections }, () => send(flood)),
  );
  const { status } = await within(
    fetch(`${server.url}/healthz`),
    "an answer to another client",
    30_000,
  );
  assert.equal(status, 200);
  await attack;
  assert.equal(server.child.exitCode, null);
  assert.doesNotMatch(server.stderr, /"level":"(warn|error|fatal)"/);
});

/** Processor time of the server for so many connections that send it. */
async function costMs(wire: string): Promise<number> {
  const begun = await processorMs();
  await Promise.all(Array.from({ length: connections }, () => send(wire)));
  return (await processorMs()) - begun;
}

/** Resolves when the server has closed the connection. */
function send(wire: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  // It is cut off while it writes.
  socket.on("error", () => {});
  socket.on("close", () => resolve());
  socket.resume();
  socket.write(wire);
  return promise;
}

async function processorMs(): Promise<number> {
  const response = await fetch(`${server.url}/metrics`, {
    headers: { authorization: basicAuthorization },
  });
  const seconds = /^process_cpu_seconds_total ([\d.]+)/m.exec(
    await response.text(),
  )?.[1];
  return Math.round(Number(seconds) * 1000);
}

function fill(unit: string): string {
  return unit.repeat(Math.floor(bytes / unit.length));
}
