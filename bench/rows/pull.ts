/**
 * How soon 1,000 that wait at as many mailboxes have a message, and how many messages
 * are fetched and confirmed in a second, each against a bare Fastify of the same
 * bodies, with an emitter for those that wait.
 */

import {
  alert,
  authorization,
  createDataFolder,
  publish,
  publishPath,
  startCarillon,
  untilFannedOut,
} from "../carillon.ts";
import { type Child, startProgram } from "../processes.ts";
import { mailboxName, messagesPath } from "../pull-paths.ts";
import type { CycleRate, PullQuestion, WakeTimes } from "../pull-program.ts";
import { atLeast, atMost, type BenchResult, figure } from "../result.ts";
import { seedMailboxes } from "../seed.ts";
import { alternate, median, medianRatio, quantile } from "../statistics.ts";

const topic = "boxes";

export async function benchPullWake({
  waiting = 1000,
  rounds = 7,
} = {}): Promise<BenchResult> {
  await using data = await createDataFolder();
  await seedMailboxes(data.path, topic, waiting);
  await using carillon = await startCarillon(data.path);
  await using bare = await startProgram("bare/pull.ts");
  // Each has consumers of its own, whose connections stay open.
  await using ofCarillon = await startProgram("pull-program.ts");
  await using ofBare = await startProgram("pull-program.ts");
  const medians: Record<string, number[]> = { bare: [], carillon: [] };
  const p99Of =
    (name: string, { port }: Child, consumers: typeof ofBare) =>
    async () => {
      const question: PullQuestion = {
        kind: "wake",
        port,
        path: `${messagesPath(mailboxName("{n}"))}?wait=60`,
        connections: waiting,
        publish: {
          path: publishPath(topic),
          headers: { authorization },
          body: JSON.stringify(alert),
        },
      };
      const { times } = await consumers.ask<WakeTimes>(question);
      medians[name]?.push(quantile(times, 0.5));
      return quantile(times, 0.99);
    };
  const p99 = await alternate(rounds, {
    bare: p99Of("bare", bare, ofBare),
    carillon: p99Of("carillon", carillon, ofCarillon),
  });
  return {
    name: `publish to the answers of ${waiting.toLocaleString("en")} long polls`,
    rows: [
      figure("bare emitter, median", median(medians.bare), "ms"),
      figure("bare emitter, p99", median(p99.bare), "ms"),
      figure("carillon, median", median(medians.carillon), "ms", "fsync"),
      figure("carillon, p99", median(p99.carillon), "ms", "fsync"),
      atMost(
        "p99, carillon ÷ bare emitter",
        medianRatio(p99.carillon, p99.bare),
        3,
      ),
    ],
  };
}

export async function benchPullCycle({
  connections = 64,
  cycles = 150,
  rounds = 5,
} = {}): Promise<BenchResult> {
  await using data = await createDataFolder();
  await seedMailboxes(data.path, topic, connections);
  await using carillon = await startCarillon(data.path);
  await using bare = await startProgram("bare/pull.ts");
  await using consumers = await startProgram("pull-program.ts");
  const run = async ({ port }: Child) => {
    const question: PullQuestion = { kind: "cycle", port, connections, cycles };
    return (await consumers.ask<CycleRate>(question)).perSecond;
  };
  const rates = await alternate(rounds, {
    bare: () => run(bare),
    carillon: async () => {
      await fill(carillon, cycles, connections);
      return run(carillon);
    },
  });
  return {
    name: `fetching one message and confirming it, ${connections} connections`,
    rows: [
      figure("bare Fastify", median(rates.bare), "cycles/s"),
      figure("carillon", median(rates.carillon), "cycles/s", "fsync"),
      atLeast(
        "carillon ÷ bare Fastify",
        medianRatio(rates.carillon, rates.bare),
        0.4,
      ),
    ],
  };
}

/** Puts so many messages into each of the mailboxes. */
async function fill(
  carillon: Child,
  messages: number,
  mailboxes: number,
): Promise<void> {
  const ids: string[] = [];
  for (let n = 0; n < messages; n++) ids.push(await publish(carillon, topic));
  for (const id of ids) await untilFannedOut(carillon, id, mailboxes);
}
