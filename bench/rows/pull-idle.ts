/**
 * What consumers cost that get nothing: the memory of 10,000 that wait, and what is
 * left of a million polls that found nothing, in memory and on disk.
 */

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { authorization, createDataFolder, startCarillon } from "../carillon.ts";
import { runLoad } from "../load.ts";
import { residentMb } from "../process-account.ts";
import { type Child, startProgram } from "../processes.ts";
import { mailboxName, messagesPath } from "../pull-paths.ts";
import type { PullQuestion } from "../pull-program.ts";
import { atMost, type BenchResult, type BenchRow, figure } from "../result.ts";
import { seedMailboxes } from "../seed.ts";

/** Consumers of one mailbox: fewer than it lets in. */
const consumersOfMailbox = 10;

export async function benchPullIdle({
  connections = 10_000,
} = {}): Promise<BenchResult> {
  const stream = (name: string) => `/api/v2/subscriptions/${name}/stream`;
  const poll = (name: string) => `${messagesPath(name)}?wait=60`;
  return {
    name: `resident memory of ${connections.toLocaleString("en")} idle consumers`,
    rows: [
      ...(await idle("long poll", poll, false, connections)),
      ...(await idle("stream", stream, true, connections)),
    ],
  };
}

/** On a server of its own, whose memory has no other history. */
async function idle(
  what: string,
  path: (name: string) => string,
  answered: boolean,
  connections: number,
): Promise<BenchRow[]> {
  const mailboxes = Math.ceil(connections / consumersOfMailbox);
  await using data = await createDataFolder();
  await seedMailboxes(data.path, "boxes", mailboxes);
  await using carillon = await startCarillon(data.path, [
    "--max-connections",
    String(Math.ceil(connections * 1.1)),
  ]);
  await using consumers = await startProgram("pull-program.ts");
  const hold = (count: number) =>
    consumers.ask({
      kind: "hold",
      port: carillon.port,
      path: path(mailboxName("{n}")),
      connections: count,
      mailboxes,
      answered,
    } satisfies PullQuestion);
  // What is loaded and compiled with the first ones is not theirs.
  await hold(Math.ceil(connections / 20));
  const before = await steadyMb(carillon);
  await hold(connections);
  const after = await steadyMb(carillon);
  await consumers.ask({ kind: "release" } satisfies PullQuestion);
  return [
    figure(`before, ${what}s`, before, "MB"),
    atMost(`each ${what}`, ((after - before) * 1024) / connections, 40, "KB"),
  ];
}

/** Resolves once it does not grow any more. */
async function steadyMb(carillon: Child): Promise<number> {
  for (let last = 0; ; ) {
    const now = residentMb(carillon);
    if (now <= last + 0.5) return now;
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

export async function benchPullEmpty({
  polls = 1_000_000,
} = {}): Promise<BenchResult> {
  await using data = await createDataFolder();
  await seedMailboxes(data.path, "boxes", 100);
  await using carillon = await startCarillon(data.path);
  const run = (requests: number) =>
    runLoad({
      port: carillon.port,
      method: "GET",
      path: messagesPath(mailboxName("{n}")),
      headers: { authorization },
      body: "",
      connections: 64,
      requests,
      numbers: 100,
    });
  // By then all is compiled, and the spaces of the heap have their size.
  await run(Math.ceil(polls / 10));
  const before = { mb: await steadyMb(carillon), kb: sizeKb(data.path) };
  const { perSecond } = await run(polls);
  const after = { mb: await steadyMb(carillon), kb: sizeKb(data.path) };
  return {
    name: `${polls.toLocaleString("en")} polls that find nothing`,
    rows: [
      figure("rate", perSecond, "polls/s"),
      figure("before", before.mb, "MB"),
      atMost("more memory after", after.mb - before.mb, 20, "MB"),
      atMost("more on disk after", after.kb - before.kb, 64, "KB"),
    ],
  };
}

/** Of the database, its log included. */
function sizeKb(folder: string): number {
  return readdirSync(folder)
    .filter((name) => name.startsWith("carillon.db"))
    .reduce((sum, name) => sum + statSync(join(folder, name)).size / 1024, 0);
}
