/** Wrong passwords: what they cost others, and what is kept of them. */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  basicAuthorization,
  CarillonProcess,
  credentials,
} from "./harness/carillon-process.ts";

let data: string;
let server: CarillonProcess;

/** One where each client here comes from an address of its own. */
const start = () =>
  CarillonProcess.start({
    data,
    env: { CARILLON_TRUSTED_PROXIES: "127.0.0.0/8" },
  });

before(async () => {
  data = await mkdtemp(join(tmpdir(), "carillon-login-"));
  server = await start();
});

after(async () => {
  await server?.kill();
  await rm(data, { recursive: true, force: true });
});

test("refused log-ins of the last minute are written at a stop", async () => {
  assert.equal(await logIn("somebody", "wrong", "203.0.113.9"), 401);
  await server.stop();
  server = await start();
  const response = await fetch(
    `${server.url}/api/v2/audit?action=login_refused`,
    { headers: { authorization: basicAuthorization } },
  );
  const { entries } = (await response.json()) as {
    entries: readonly { userName?: string; address?: string }[];
  };
  assert.deepEqual(
    entries.map(({ userName, address }) => [userName, address]),
    [["somebody", "203.0.113.9"]],
  );
});

test("three addresses with 24 clients each keep nobody out", async () => {
  const flood = new AbortController();
  const answers = new Map<number, number>();
  let sent = 0;
  const client = async (address: string) => {
    while (!flood.signal.aborted) {
      const status = await logIn(`user${sent++}`, "wrong", address);
      answers.set(status, (answers.get(status) ?? 0) + 1);
    }
  };
  const strangers = ["198.51.100.1", "198.51.100.2", "198.51.100.3"];
  const clients = strangers.flatMap((address) =>
    Array.from({ length: 24 }, () => client(address)),
  );
  // The queue is full once somebody was refused.
  while (!answers.has(429)) await logIn("first", "wrong", "198.51.100.4");
  const statuses = await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      logIn("admin", credentials.adminPassword, `192.0.2.${i}`),
    ),
  );
  flood.abort();
  await Promise.all(clients);
  assert.deepEqual(statuses, new Array(10).fill(201));
  // Nobody got in, and what has a place is looked at.
  assert.deepEqual([...answers.keys()].sort(), [401, 429]);
});

async function logIn(
  name: string,
  password: string,
  address: string,
): Promise<number> {
  const user = { name, domain: { name: "default" }, password };
  const response = await fetch(`${server.url}/v3/auth/tokens`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-forwarded-for": address,
    },
    body: JSON.stringify({
      auth: { identity: { methods: ["password"], password: { user } } },
    }),
  });
  await response.arrayBuffer();
  if (response.status === 429) {
    assert.match(response.headers.get("retry-after") ?? "", /^\d+$/);
  }
  return response.status;
}
