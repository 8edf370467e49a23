import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { createSystemResolver } from "./name-resolver.ts";

test("asks DNS for both kinds of addresses, IPv4 first", async (t) => {
  const dns = await startDns(t, {
    "hooks.example": { A: [[192, 0, 2, 7]], AAAA: ["20010db8", 7] },
  });
  const resolve = createSystemResolver({ servers: [dns.server] });

  assert.deepEqual(await resolve("hooks.example"), [
    "192.0.2.7",
    "2001:db8::7",
  ]);
});

test("asks once for a host that many connections want at the same time", async (t) => {
  const dns = await startDns(t, { "hooks.example": { A: [[192, 0, 2, 7]] } });
  const resolve = createSystemResolver({ servers: [dns.server] });

  await Promise.all(Array.from({ length: 50 }, () => resolve("hooks.example")));
  // One question for A, one for AAAA.
  assert.equal(dns.questions(), 2);
});

test("knows the names of the hosts file", async (t) => {
  const dns = await startDns(t, {});
  const resolve = createSystemResolver({ servers: [dns.server] });

  const addresses = await resolve("localhost");
  assert.ok(addresses.includes("127.0.0.1") || addresses.includes("::1"));
});

test("fails when a name server does not answer, and blocks nobody meanwhile", async (t) => {
  const silent = await startDns(t, undefined);
  const resolve = createSystemResolver({
    servers: [silent.server],
    timeoutMs: 50,
  });
  const failed = assert.rejects(resolve("hanging.example"), {
    code: "ETIMEOUT",
  });

  assert.ok((await resolve("localhost")).length > 0);
  await failed;
});

test("an abort ends the questions under way, and none is asked any more", async (t) => {
  const silent = await startDns(t, undefined);
  const stop = new AbortController();
  const resolve = createSystemResolver({
    servers: [silent.server],
    timeoutMs: 60_000,
    signal: stop.signal,
  });
  const asked = assert.rejects(resolve("hanging.example"), {
    code: "ECANCELLED",
  });
  await silent.asked;
  const reason = new Error("stop");
  stop.abort(reason);
  await asked;
  await assert.rejects(resolve("other.example"), (error) => error === reason);
});

interface Answers {
  readonly A?: readonly (readonly number[])[];
  /** First and last 32 bits are enough here. */
  readonly AAAA?: readonly [string, number];
}

/** A name server for some names; one that never answers without any. */
async function startDns(
  t: TestContext,
  names: Readonly<Record<string, Answers>> | undefined,
): Promise<{
  server: string;
  questions: () => number;
  /** Resolves with the first question. */
  asked: Promise<void>;
}> {
  const socket = createSocket("udp4");
  const asked = Promise.withResolvers<void>();
  let questions = 0;
  socket.on("message", (query, peer) => {
    asked.resolve();
    if (names === undefined) return;
    questions++;
    socket.send(answer(query, names), peer.port, peer.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  t.after(() => socket.close());
  return {
    server: `127.0.0.1:${socket.address().port}`,
    questions: () => questions,
    asked: asked.promise,
  };
}

/** RFC 1035 §4.1, as far as one question goes. */
function answer(
  query: Buffer,
  names: Readonly<Record<string, Answers>>,
): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (;;) {
    const length = query[at] ?? 0;
    at++;
    if (length === 0) break;
    labels.push(query.toString("latin1", at, at + length));
    at += length;
  }
  const isA = query.readUInt16BE(at) === 1;
  const question = query.subarray(12, at + 4);
  const found = names[labels.join(".").toLowerCase()];
  const addresses: Buffer[] = [];
  if (isA) addresses.push(...(found?.A ?? []).map((a) => Buffer.from(a)));
  else if (found?.AAAA !== undefined) {
    const address = Buffer.alloc(16);
    address.write(found.AAAA[0], "hex");
    address.writeUInt32BE(found.AAAA[1], 12);
    addresses.push(address);
  }
  const header = Buffer.alloc(12);
  header.writeUInt16BE(query.readUInt16BE(0), 0);
  header.writeUInt16BE(found === undefined ? 0x8183 : 0x8180, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(addresses.length, 6);
  const records = addresses.map((address) => {
    const fixed = Buffer.alloc(12);
    fixed.writeUInt16BE(0xc00c, 0);
    fixed.writeUInt16BE(isA ? 1 : 28, 2);
    fixed.writeUInt16BE(1, 4);
    fixed.writeUInt32BE(60, 6);
    fixed.writeUInt16BE(address.length, 10);
    return Buffer.concat([fixed, address]);
  });
  return Buffer.concat([header, question, ...records]);
}
