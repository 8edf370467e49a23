import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { PulledMessage } from "@carillon/client";
import { findMisspeltVariables } from "@carillon/server/config-variables";
import { runForMessage } from "./run-for-message.ts";
import { Interruption } from "./stop-signal.ts";

const never = new AbortController().signal;

test("gives a command the text as input, and the rest in its environment", async (t) => {
  const path = await outputPath(t);
  const failure = await runForMessage(
    `{ cat; env | grep ^CARILLON_MESSAGE_ | sort; } > '${path}'`,
    { ...message, data: { floor: 3 } },
    never,
  );
  assert.equal(failure, undefined);
  assert.deepEqual((await readFile(path, "utf8")).split("\n"), [
    "Stay inside",
    "CARILLON_MESSAGE_ATTRIBUTES=[]",
    'CARILLON_MESSAGE_CATEGORIES=["storm"]',
    "CARILLON_MESSAGE_CREATED_AT=2026-11-27T06:46:39.000Z",
    'CARILLON_MESSAGE_DATA={"floor":3}',
    "CARILLON_MESSAGE_DELIVERY_COUNT=2",
    `CARILLON_MESSAGE_ID=${message.id}`,
    "CARILLON_MESSAGE_LEASE_ID=1z.1.2",
    "CARILLON_MESSAGE_LEASE_UNTIL=2026-11-27T06:47:39.000Z",
    "CARILLON_MESSAGE_ORDERING_KEY=",
    "CARILLON_MESSAGE_SUBJECT=",
    "CARILLON_MESSAGE_TOPIC_URN=urn:smn:carillon:p:storm",
    "",
  ]);
});

test("its variables are none that a command of ours would refuse", async (t) => {
  const path = await outputPath(t);
  await runForMessage(`cat > /dev/null; env > '${path}'`, message, never);
  const lines = (await readFile(path, "utf8")).split("\n");
  const names = lines.flatMap((line) => line.match(/^CARILLON_\w+/) ?? []);
  assert.ok(names.length > 5);
  const env = Object.fromEntries(names.map((name) => [name, "x"]));
  assert.deepEqual(findMisspeltVariables(env), []);
});

test("says why a command failed, also when it reads nothing", async () => {
  const big = { ...message, body: "x".repeat(1_000_000) };
  assert.equal(await runForMessage("exit 3", big, never), "exited with 3");
  assert.equal(await runForMessage("true", big, never), undefined);
  assert.equal(
    await runForMessage("kill -9 $$", message, never),
    "was ended by SIGKILL",
  );
});

test("passes the signal on that ends the program", async () => {
  const stop = new AbortController();
  const running = runForMessage("exec sleep 60", message, stop.signal);
  stop.abort(new Interruption("SIGTERM"));
  assert.equal(await running, "was ended by SIGTERM");
});

test("ends what the command started, too", async (t) => {
  const path = await outputPath(t);
  const stop = new AbortController();
  const waits = "while :; do sleep 0.02; done";
  const running = runForMessage(
    `(trap "echo ended > '${path}'; exit" TERM; echo begun > '${path}'; ${waits}) & wait; true`,
    message,
    stop.signal,
  );
  const waitFor = async (text: string) => {
    const read = () => readFile(path, "utf8").catch(() => "");
    while ((await read()) !== `${text}\n`) await setTimeout(10);
  };
  await waitFor("begun");
  stop.abort(new Interruption("SIGTERM"));
  assert.equal(await running, "was ended by SIGTERM");
  await waitFor("ended");
});

test("does not begin what was to be ended before", async () => {
  const stopped = AbortSignal.abort(new Interruption("SIGINT"));
  assert.match(
    (await runForMessage("exec sleep 60", message, stopped)) ?? "",
    /^was /,
  );
});

async function outputPath(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "carillon-exec-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "output");
}

const message: PulledMessage = {
  id: "0198c2f4a1b27c3d8e4f5a6b7c8d9e0f",
  leaseId: "1z.1.2",
  leaseUntil: "2026-11-27T06:47:39.000Z",
  deliveryCount: 2,
  body: "Stay inside\n",
  categories: ["storm"],
  createdAt: "2026-11-27T06:46:39.000Z",
  topicUrn: "urn:smn:carillon:p:storm",
  ack: async () => true,
  nack: async () => true,
  extend: async () => true,
};
