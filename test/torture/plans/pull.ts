/**
 * Consumers of every kind, killed at random, on a server that is killed at random:
 * what was accepted is confirmed, and what was confirmed does not come again.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createTopic, publishPath } from "../../harness/api.ts";
import { CarillonProcess } from "../../harness/carillon-process.ts";
import {
  isFinished,
  listMessages,
  type MessageRecord,
} from "../../harness/ledger.ts";
import { type Accepted, type Load, startLoad } from "../../harness/load.ts";
import { createSubscriber, subscribeMailbox } from "../../harness/pull.ts";
import {
  type ConsumerOptions,
  type ConsumerRecord,
  startPullConsumer,
} from "../../harness/pull-consumer.ts";
import { createFolder } from "../../harness/temporary-folder.ts";
import { until, within } from "../../harness/until.ts";
import { findConsumerFaults } from "../consumer-faults.ts";
import {
  brokenBy,
  type Plan,
  type PlanOptions,
  type PlanReport,
} from "../plan.ts";

export const pull: Plan = {
  name: "pull",
  summary: "kill -9 of consumers and of the server, again and again",
  defaults: { rounds: 50 },
  run: killConsumers,
};

/**
 * Mailboxes by topic, each with its consumers. Python's client confirms one by one
 * and polls every few seconds, so that it gets less.
 */
const audiences = {
  fast: {
    load: { publishers: 3, pauseMs: 20 },
    mailboxes: {
      polled: ["poll", "poll"],
      streamed: ["stream"],
      shared: ["poll", "stream", "ws"],
      socket: ["ws"],
      java: ["java"],
    },
  },
  slow: {
    load: { publishers: 1, pauseMs: 100 },
    mailboxes: { python: ["python"] },
  },
} as const;

const leaseMs = 5000;
const confirmWindowMs = 2500;

const settleWithinMs = 180_000;

interface Consumer {
  readonly options: ConsumerOptions;
  process: AsyncDisposable;
}

export async function killConsumers({
  rounds,
  progress,
}: PlanOptions): Promise<PlanReport> {
  await using folder = await createFolder();
  await using parts = new AsyncDisposableStack();
  const data = join(folder.path, "data");
  const env = {
    CARILLON_PULL_LEASE_MS: String(leaseMs),
    CARILLON_PULL_CONFIRM_WINDOW_MS: String(confirmWindowMs),
    CARILLON_PULL_MAX_DELIVERIES: "1000",
  };
  let server = await CarillonProcess.start({ data, env });
  parts.defer(() => server.kill());
  const port = Number(new URL(server.url).port);
  const consumers: Consumer[] = [];
  parts.defer(async () => {
    for (const consumer of consumers) {
      await consumer.process[Symbol.asyncDispose]();
    }
  });
  const file = join(folder.path, "records");
  for (const options of await createConsumers(server, file)) {
    consumers.push({ options, process: await startPullConsumer(options) });
  }
  const load = parts.use(startLoad());
  await load.call("start", server.url, streams());

  const kills = { server: 0, consumers: 0 };
  const untilAccepted = async (more: number) => {
    const goal = (await load.call("countAccepted")) + more;
    await until(
      async () => (await load.call("countAccepted")) >= goal,
      `the server accepts ${more} messages`,
      60_000,
      20,
    );
  };
  for (let round = 1; round <= rounds; round++) {
    await untilAccepted(10 + Math.floor(Math.random() * 40));
    // Each tenth long enough for Python's client to poll and confirm.
    await pause(Math.random() * (round % 10 === 0 ? 12_000 : 500));
    const chosen = consumers[Math.floor(Math.random() * consumers.length)];
    if (chosen !== undefined && round % 3 !== 0) {
      await chosen.process[Symbol.asyncDispose]();
      kills.consumers++;
      // Its end and the server's fall together now and then.
      if (round % 6 !== 1) {
        chosen.process = await startPullConsumer(chosen.options);
      }
    }
    if (round % 3 === 0 || round % 6 === 1) {
      await server.kill();
      kills.server++;
      server = await CarillonProcess.start({ data, env, port });
      if (chosen !== undefined && round % 6 === 1) {
        chosen.process = await startPullConsumer(chosen.options);
      }
    }
    const accepted = await load.call("countAccepted");
    progress(`round ${round} of ${rounds}, ${accepted} messages accepted`);
  }
  await within(load.call("stop"), "the server answers all publishes", 60_000);
  progress("waiting until all is confirmed");
  const unfinished = await settle(server);
  return await judge(load, file, kills, unfinished);
}

async function createConsumers(
  server: CarillonProcess,
  file: string,
): Promise<ConsumerOptions[]> {
  const all: ConsumerOptions[] = [];
  for (const [topic, { mailboxes }] of Object.entries(audiences)) {
    await createTopic(server, topic);
    for (const [mailbox, kinds] of Object.entries(mailboxes)) {
      const account = await createSubscriber(server, mailbox);
      await subscribeMailbox(server, topic, mailbox);
      const { url } = server;
      const common = { url, mailbox, account, file, leaseMs, confirmWindowMs };
      for (const kind of kinds) all.push({ ...common, kind });
    }
  }
  return all;
}

function streams() {
  return Object.entries(audiences).map(([name, { load }]) => ({
    name,
    path: publishPath(name),
    body: { subject: "torture" },
    ...load,
  }));
}

const mailboxesOf = (topic: string | undefined) =>
  Object.keys(
    topic === "slow" ? audiences.slow.mailboxes : audiences.fast.mailboxes,
  );

/** Waits until all is confirmed; answers what is not. */
async function settle(server: CarillonProcess): Promise<string[]> {
  let open: MessageRecord[] = [];
  await until(
    async () => {
      open = (await listMessages(server)).filter(
        (message) =>
          !isFinished(message, mailboxesOf(message.topicName).length) ||
          message.counts.delivered !== mailboxesOf(message.topicName).length,
      );
      return open.length === 0;
    },
    "all is confirmed",
    settleWithinMs,
    500,
  ).catch(() => {
    // What is open is the answer.
  });
  return open.map(
    ({ id, topicName, counts }) =>
      `${id} to ${topicName} ${JSON.stringify(counts)}`,
  );
}

async function judge(
  load: Load,
  file: string,
  kills: { readonly server: number; readonly consumers: number },
  unfinished: readonly string[],
): Promise<PlanReport> {
  const { accepted, unanswered } = await load.call("report");
  const lines = (await readFile(file, "utf8")).split("\n");
  // The last line of a killed process may be cut, and so may join the next one.
  const records = lines.flatMap((line) => parseRecord(line) ?? []);
  const lost = findLost(accepted, records);
  const faults = findConsumerFaults(records);
  const count = (event: ConsumerRecord["event"]) =>
    records.filter((record) => record.event === event).length;
  return {
    figures: {
      "kill -9 of the server": kills.server,
      "kill -9 of consumers": kills.consumers,
      "messages answered 2xx": accepted.length,
      "publishes without an answer": unanswered,
      "handed out": count("got"),
      "confirmed, and answered": count("confirmed"),
      "accepted, never handed out": lost.length,
      "accepted, not confirmed": unfinished.length,
      "again after the confirmation": faults.again.length,
      "leases of two consumers": faults.shared.length,
    },
    broken: [
      ...brokenBy("accepted messages were lost", lost),
      ...brokenBy("messages were not confirmed", unfinished),
      ...brokenBy("confirmed messages came again", faults.again),
      ...brokenBy("two consumers held one lease", faults.shared),
      ...(accepted.length === 0 ? ["nothing was accepted"] : []),
    ],
  };
}

function parseRecord(line: string): ConsumerRecord | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function findLost(
  accepted: readonly Accepted[],
  records: readonly ConsumerRecord[],
): string[] {
  const got = new Set(records.map(({ mailbox, text }) => `${mailbox} ${text}`));
  return accepted.flatMap(({ stream, text }) =>
    mailboxesOf(stream)
      .map((mailbox) => `${mailbox} ${text}`)
      .filter((key) => !got.has(key)),
  );
}
