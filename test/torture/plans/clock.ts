/**
 * The wall clock jumps an hour ahead, then to an hour behind, and back: a
 * correction by hand, a virtual machine that wakes up. Timers run on.
 */

import { publish } from "../../harness/api.ts";
import { until } from "../../harness/until.ts";
import { judge } from "../judge.ts";
import {
  brokenBy,
  type Plan,
  type PlanOptions,
  type PlanReport,
} from "../plan.ts";
import { type Audiences, healthyAudiences, Rig } from "../rig.ts";

export const clock: Plan = {
  name: "clock",
  summary: "Date jumps an hour ahead, an hour behind, and back",
  defaults: {},
  run: moveTheClock,
};

const phases = [
  { name: "an hour ahead", clockMs: 3_600_000 },
  { name: "an hour behind", clockMs: -3_600_000 },
  { name: "back", clockMs: 0 },
] as const;

/** All messages live for a day: no jump brings them to their end. */
const audiences: Audiences = {
  ...healthyAudiences,
  /** Answers 503 until the clock is back. */
  later: {
    load: { publishers: 1, pauseMs: 500 },
    healthy: ["/later/hook"],
    faulty: [],
  },
  /** Its messages are published here, and timed. */
  timed: { load: { publishers: 0 }, healthy: ["/ok/timed"], faulty: [] },
};

/** A healthy receiver has a message that soon, whatever the clock says. */
const promptMs = 10_000;

/** The default schedule waits 5 s, 30 s and 2 min, with a fifth added. */
const retriedWithinMs = 200_000;

async function moveTheClock({ progress }: PlanOptions): Promise<PlanReport> {
  await using rig = await Rig.start({ audiences, withFaults: true });
  const figures: Record<string, number> = {};
  const stalls: string[] = [];
  await rig.hooks.call("answer", "/later", 503);
  await rig.publish();
  await rig.untilAccepted(100);
  for (const { name, clockMs } of phases) {
    progress(`the clock is ${name}`);
    await rig.inject({ clockMs });
    const begun = performance.now();
    const id = await publish(rig.server, "timed", name);
    const late = await untilArrived(rig, [id], promptMs);
    const tookMs = Math.round(performance.now() - begun);
    figures[`new message, clock ${name}, ms`] = tookMs;
    if (late.length > 0) stalls.push(`clock ${name}`);
    await rig.untilAccepted(100);
  }
  await rig.stopPublishing();

  progress("what was retrying must come now");
  await rig.hooks.call("answer", "/later", 200);
  const healed = performance.now();
  const { accepted } = await rig.load.call("report");
  const retrying = accepted
    .filter(({ stream }) => stream === "later")
    .map(({ messageId }) => messageId);
  const left = await untilArrived(rig, retrying, retriedWithinMs);
  figures["retries delivered after the clock was back"] =
    retrying.length - left.length;
  figures["the last of them, ms"] = Math.round(performance.now() - healed);
  const report = await judge(rig, []);
  return {
    figures: { ...figures, ...report.figures },
    broken: [
      ...brokenBy("new messages did not arrive within 10 s", stalls),
      ...brokenBy("retries did not arrive after the clock was back", left),
      ...report.broken,
    ],
  };
}

/** Answers those that did not come in time. */
async function untilArrived(
  { hooks }: Rig,
  messageIds: readonly string[],
  deadlineMs: number,
): Promise<readonly string[]> {
  let left = messageIds;
  await until(
    async () => {
      left = await hooks.call("findAbsent", left);
      return left.length === 0;
    },
    "they arrive",
    deadlineMs,
  ).catch(() => {
    // What is left is the answer.
  });
  return left;
}
