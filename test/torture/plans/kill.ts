/**
 * `kill -9` at random moments under a load of all kinds, and a start after
 * each.
 */

import { setTimeout as pause } from "node:timers/promises";
import { judge } from "../judge.ts";
import type { Plan, PlanOptions, PlanReport } from "../plan.ts";
import type { FaultSpan } from "../repeats.ts";
import { mixedAudiences, Rig } from "../rig.ts";

export const kill: Plan = {
  name: "kill",
  summary: "kill -9 under http, e-mail and SMS, again and again",
  defaults: { rounds: 50 },
  run: (options) => killAgainAndAgain(options, { timeToLive: 60 }),
};

/** @param timeToLive of messages to faulty receivers, in seconds */
export async function killAgainAndAgain(
  { rounds, progress }: PlanOptions,
  { timeToLive }: { readonly timeToLive: number },
): Promise<PlanReport> {
  await using rig = await Rig.start({ audiences: mixedAudiences(timeToLive) });
  const kills: FaultSpan[] = [];
  await rig.publish();
  for (let round = 1; round <= rounds; round++) {
    // By count, so that a slow machine sees the same; every fifth round long
    // enough for answers of the slow endpoint.
    await rig.untilAccepted(20 + Math.random() * 130);
    await pause(Math.random() * (round % 5 === 0 ? 4000 : 250));
    const from = Date.now();
    await rig.server.kill();
    kills.push({ from, to: Date.now() });
    await rig.startServer();
    const accepted = await rig.load.call("countAccepted");
    progress(`kill ${round} of ${rounds}, ${accepted} messages accepted`);
  }
  await rig.stopPublishing();
  progress("waiting for the last deliveries");
  const { figures, broken } = await judge(rig, kills);
  const starts = rig.startsMs.toSorted((a, b) => a - b);
  const median = starts[Math.floor(starts.length / 2)] ?? 0;
  return {
    figures: {
      "kill -9": rounds,
      ...figures,
      "start to ready, median ms": Math.round(median),
    },
    broken,
  };
}
