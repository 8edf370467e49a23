/**
 * The laws that hold under every fault, and what came of them: nothing that
 * was accepted is lost, nothing stays open, no text is sent twice, and what is
 * repeated was open at a fault.
 */

import {
  isFinished,
  listDeliveries,
  listMessages,
  type MessageRecord,
} from "../harness/ledger.ts";
import type { Accepted } from "../harness/load.ts";
import { until } from "../harness/until.ts";
import type { Arrival } from "../harness/webhook-sink.ts";
import { brokenBy, type PlanReport } from "./plan.ts";
import { type FaultSpan, findRepeats } from "./repeats.ts";
import { phone, type Rig } from "./rig.ts";

/**
 * Waits until all deliveries have ended, then counts. The load has stopped and
 * the server runs.
 */
export async function judge(
  rig: Rig,
  faults: readonly FaultSpan[],
): Promise<PlanReport> {
  const { kept, unfinished } = await settle(rig);
  const report = await rig.load.call("report");
  const { unanswered, refusals } = report;
  const accepted = report.accepted.filter(({ messageId }) =>
    kept.has(messageId),
  );
  // What the ledger does not know is lost, even where it arrived.
  const unknown = report.accepted.filter((one) => !kept.has(one.messageId));
  const arrivals = [
    ...(await rig.hooks.call("listArrivals")),
    ...(await rig.mail.call("listArrivals")),
  ];
  const texts = await rig.carrier.call("listTexts");
  const absent = await explain(rig, findMissing(rig, accepted, arrivals));
  const unsent = await explain(
    rig,
    findUnsent(accepted, new Set(texts.map(({ text }) => text))),
  );
  const lost = [
    ...unknown.map(({ messageId, stream }) => `${messageId} to ${stream}`),
    ...absent.lost,
    ...unsent.lost,
  ];
  const repeats = findRepeats(arrivals, faults);
  const twice = findTwice(texts.map(({ text }) => text));
  const sms = accepted.filter(({ stream }) => stream === "sms").length;
  return {
    figures: {
      "messages answered 2xx": report.accepted.length,
      "of these, texts to phones": sms,
      "publishes without an answer": unanswered,
      "publishes refused": [...refusals.values()].reduce(
        (sum, { count }) => sum + count,
        0,
      ),
      "arrivals at healthy receivers": arrivals.length,
      "accepted, lost": lost.length,
      "of these, not in the ledger": unknown.length,
      "accepted, not arrived, explained": absent.explained.length,
      "deliveries not final": unfinished.length,
      "texts at the carrier": texts.length,
      "texts not there, explained": unsent.explained.length,
      "texts sent twice": twice.length,
      "attempts open at the faults": repeats.open,
      "repeats of these": repeats.explained,
      "repeats of others": repeats.unexplained.length,
      "oldest answer that was repeated, ms": repeats.oldestAnswerMs,
    },
    broken: [
      ...brokenBy("accepted messages were lost", lost),
      ...brokenBy("deliveries are in no final state", unfinished),
      ...brokenBy("texts were sent twice", twice),
      ...brokenBy("repeats without a fault", repeats.unexplained),
      ...(report.accepted.length === 0 ? ["nothing was accepted"] : []),
    ],
  };
}

/** The time to live of what faulty receivers are sent is shorter. */
const settleWithinMs = 240_000;

/** Waits for the end of all; answers the ids of all, and who did not end. */
async function settle(
  rig: Rig,
): Promise<{ kept: ReadonlySet<string>; unfinished: string[] }> {
  let all: MessageRecord[] = [];
  let open: MessageRecord[] = [];
  await until(
    async () => {
      all = await listMessages(rig.server);
      open = all.filter(
        (message) => !isFinished(message, recipientsOf(rig, message)),
      );
      return open.length === 0;
    },
    "all deliveries end",
    settleWithinMs,
    500,
  ).catch(() => {
    // What is open is the answer.
  });
  const unfinished = open.map(
    ({ id, topicName = "a phone", counts }) =>
      `${id} to ${topicName} ${JSON.stringify(counts)}`,
  );
  return { kept: new Set(all.map(({ id }) => id)), unfinished };
}

/** Of confirmations and texts there is one. */
function recipientsOf(
  { audiences }: Rig,
  { audience, topicName = "" }: MessageRecord,
): number {
  const all = audiences[topicName];
  if (audience !== "topic" || !all) return 1;
  return all.healthy.length + all.faulty.length;
}

interface Missing {
  readonly messageId: string;
  /** A path, a mailbox, or a phone. */
  readonly target: string;
  /**
   * The one state that says why it is not there: a text is `unknown` when a
   * fault fell between the intent to send it and the answer; what does not
   * live long may have expired. Without it there is no excuse.
   */
  readonly excuse: "unknown" | "expired" | undefined;
}

function findMissing(
  { audiences }: Rig,
  accepted: readonly Accepted[],
  arrivals: readonly Arrival[],
): Missing[] {
  const there = new Set(
    arrivals.map(({ messageId, path }) => `${messageId} ${path}`),
  );
  return accepted.flatMap(({ stream, messageId }) => {
    const { healthy = [], timeToLive } = audiences[stream] ?? {};
    const excuse = timeToLive === undefined ? undefined : "expired";
    return healthy
      .filter((target) => !there.has(`${messageId} ${target}`))
      .map((target) => ({ messageId, target, excuse }));
  });
}

function findUnsent(
  accepted: readonly Accepted[],
  texts: ReadonlySet<string>,
): Missing[] {
  return accepted
    .filter(({ stream, text }) => stream === "sms" && !texts.has(text))
    .map(({ messageId }) => ({
      messageId,
      target: phone,
      excuse: "unknown",
    }));
}

/** Asks the ledger: its delivery may say why a message did not arrive. */
async function explain(
  rig: Rig,
  missing: readonly Missing[],
): Promise<{ lost: string[]; explained: string[] }> {
  const lost: string[] = [];
  const explained: string[] = [];
  for (const { messageId, target, excuse } of missing) {
    const deliveries = await listDeliveries(rig.server, messageId);
    // Endpoints are whole URLs.
    const state = deliveries.find((one) =>
      one.endpoint.endsWith(target),
    )?.state;
    const words = `${messageId} ${target} ${state ?? "without a delivery"}`;
    if (state !== undefined && state === excuse) explained.push(words);
    else lost.push(words);
  }
  return { lost, explained };
}

function findTwice(texts: readonly string[]): string[] {
  const seen = new Set<string>();
  return texts.filter((text) => seen.size === seen.add(text).size);
}
