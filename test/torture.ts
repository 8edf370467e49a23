/**
 * The crash proof: a real server under publish load is killed with `kill -9` at
 * random moments and started again, round after round. Then every message that
 * was answered 2xx must have reached every webhook, every delivery must be in a
 * final state, and a message may have come twice only if a kill fell between
 * the two arrivals.
 *
 *     npm run torture -- --rounds 200
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  basicAuthorization,
  CarillonProcess,
  credentials,
} from "./harness/carillon-process.ts";
import { WebhookSink } from "./harness/webhook-sink.ts";

export interface TortureOptions {
  readonly rounds: number;
  readonly webhooks?: number;
  readonly publishers?: number;
  /** Answers a number in [0, 1). */
  readonly random?: () => number;
  readonly onRound?: (round: number, report: TortureReport) => void;
}

export interface TortureReport {
  /** Rounds that ended in a kill. */
  kills: number;
  /** Messages answered 2xx. */
  accepted: number;
  /** Publishes that got no answer because of a kill. */
  unanswered: number;
  /** Accepted messages times webhooks. */
  expected: number;
  /** Of those, how many arrived. */
  arrived: number;
  lost: string[];
  /** Arrivals beyond the first. */
  duplicates: number;
  /** Second arrivals with no kill between them and the first. */
  unexplained: string[];
  /** Deliveries that are in no final state at the end. */
  unfinished: string[];
  /** Milliseconds from spawn to ready: each start. */
  startsMs: number[];
}

const topicUrn = `urn:smn:${credentials.region}:${credentials.projectId}:torture`;

export async function torture(options: TortureOptions): Promise<TortureReport> {
  const {
    rounds,
    webhooks = 3,
    publishers = 8,
    random = Math.random,
  } = options;
  const report: TortureReport = {
    kills: 0,
    accepted: 0,
    unanswered: 0,
    expected: 0,
    arrived: 0,
    lost: [],
    duplicates: 0,
    unexplained: [],
    unfinished: [],
    startsMs: [],
  };
  const data = await mkdtemp(join(tmpdir(), "carillon-torture-"));
  const acceptedIds: string[] = [];
  const kills: number[] = [];
  await using sink = await WebhookSink.start();
  try {
    let server = await CarillonProcess.start({ data });
    report.startsMs.push(server.startedInMs);
    const port = Number(new URL(server.url).port);
    await subscribe(server.url, sink, webhooks);

    for (let round = 1; round <= rounds; round++) {
      let killed = false;
      const publishing = Array.from({ length: publishers }, async () => {
        while (!killed) {
          const id = await publish(server.url);
          if (id === undefined) {
            if (!killed) continue;
            report.unanswered++;
          } else acceptedIds.push(id);
        }
      });
      await pause(30 + random() * 400);
      killed = true;
      kills.push(Date.now());
      await server.kill();
      await Promise.all(publishing);
      report.kills++;
      server = await CarillonProcess.start({ data, port });
      report.startsMs.push(server.startedInMs);
      report.accepted = acceptedIds.length;
      options.onRound?.(round, report);
    }

    report.accepted = acceptedIds.length;
    report.expected = acceptedIds.length * webhooks;
    await settle(server.url, acceptedIds, report, webhooks);
    judge(sink, acceptedIds, kills, webhooks, report);
    await server.stop();
  } finally {
    await rm(data, { recursive: true, force: true });
  }
  return report;
}

/** True when nothing was lost, left open or repeated without a reason. */
export function isClean(report: TortureReport): boolean {
  return (
    report.lost.length === 0 &&
    report.unexplained.length === 0 &&
    report.unfinished.length === 0
  );
}

async function subscribe(
  url: string,
  sink: WebhookSink,
  webhooks: number,
): Promise<void> {
  const notifications = `${url}/v2/${credentials.projectId}/notifications`;
  await post(`${notifications}/topics`, { name: "torture" });
  for (let i = 0; i < webhooks; i++) {
    await post(`${notifications}/topics/${topicUrn}/subscriptions`, {
      protocol: "http",
      endpoint: `${sink.url}/hook-${i}`,
    });
  }
  await sink.until(
    () => sink.confirmed.size === webhooks,
    "the webhooks were not asked to confirm",
  );
}

async function post(url: string, body: unknown): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: basicAuthorization,
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) {
    throw new Error(`POST ${url}: ${response.status} ${await response.text()}`);
  }
  return await response.json();
}

/** The message's id; `undefined` when no answer came. */
async function publish(url: string): Promise<string | undefined> {
  try {
    const answer = (await post(
      `${url}/v2/${credentials.projectId}/notifications/topics/${topicUrn}/publish`,
      { subject: "torture", message: "still here?" },
    )) as { message_id: string };
    return answer.message_id;
  } catch {
    return undefined;
  }
}

interface MessageView {
  readonly fannedOut: boolean;
  readonly counts: Readonly<Record<string, number>>;
}

/** Waits until the ledger says that all deliveries of all messages ended. */
async function settle(
  url: string,
  ids: readonly string[],
  report: TortureReport,
  webhooks: number,
): Promise<void> {
  const open = new Set(ids);
  const deadline = Date.now() + 120_000;
  while (open.size > 0 && Date.now() < deadline) {
    for (const id of [...open]) {
      const response = await fetch(`${url}/api/v2/messages/${id}`, {
        headers: { authorization: basicAuthorization },
      });
      const view = (await response.json()) as MessageView;
      if (view.fannedOut && view.counts.delivered === webhooks) open.delete(id);
    }
    if (open.size > 0) await pause(300);
  }
  report.unfinished = [...open];
}

/**
 * What reached this process before a kill may be looked at just after it. Far
 * less than a restart takes, so two arrivals of one life are never excused.
 */
const slackMs = 100;

function judge(
  sink: WebhookSink,
  ids: readonly string[],
  kills: readonly number[],
  webhooks: number,
  report: TortureReport,
): void {
  const arrivals = Map.groupBy(
    sink.arrivals,
    ({ path, messageId }) => `${messageId} ${path}`,
  );
  for (const id of ids) {
    for (let i = 0; i < webhooks; i++) {
      const key = `${id} /hook-${i}`;
      const times = arrivals.get(key) ?? [];
      if (times.length === 0) report.lost.push(key);
      else report.arrived++;
      report.duplicates += Math.max(0, times.length - 1);
      for (let n = 1; n < times.length; n++) {
        const from = times[n - 1]?.at ?? 0;
        const to = times[n]?.at ?? 0;
        if (!kills.some((kill) => kill >= from - slackMs && kill <= to)) {
          report.unexplained.push(key);
        }
      }
    }
  }
}

const pause = (ms: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, ms));

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "50" },
      help: { type: "boolean", default: false },
    },
  });
  const rounds = Number(values.rounds);
  if (values.help || !Number.isInteger(rounds) || rounds < 1) {
    console.log(
      "Usage: npm run torture -- [--rounds N]\nKills the server N times under load and counts what arrived.",
    );
    process.exit(values.help ? 0 : 2);
  }
  const report = await torture({
    rounds,
    onRound: (round, { accepted }) => {
      const text = `round ${round}/${rounds}  accepted ${accepted}`;
      if (process.stdout.isTTY) process.stdout.write(`\r${text}`);
      else if (round % 10 === 0 || round === rounds) console.log(text);
    },
  });
  const starts = report.startsMs.toSorted((a, b) => a - b);
  console.log("");
  console.table({
    "kill -9": report.kills,
    "messages answered 2xx": report.accepted,
    "publishes cut off by a kill": report.unanswered,
    "deliveries expected": report.expected,
    "deliveries arrived": report.arrived,
    "deliveries lost": report.lost.length,
    "deliveries not final": report.unfinished.length,
    duplicates: report.duplicates,
    "duplicates without a kill": report.unexplained.length,
    "start to ready, median ms": Math.round(
      starts[Math.floor(starts.length / 2)] ?? 0,
    ),
  });
  process.exit(isClean(report) ? 0 : 1);
}

if (import.meta.main) await main();
