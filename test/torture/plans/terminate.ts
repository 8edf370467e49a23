/**
 * SIGTERM under load, while endpoints hang: the server drains, exits with 0 in
 * time, and goes on at the next start.
 */

import { setTimeout as pause } from "node:timers/promises";
import { within } from "../../harness/until.ts";
import { judge } from "../judge.ts";
import {
  brokenBy,
  type Plan,
  type PlanOptions,
  type PlanReport,
} from "../plan.ts";
import { mixedAudiences, Rig } from "../rig.ts";

export const terminate: Plan = {
  name: "terminate",
  summary: "SIGTERM under load while endpoints hang",
  defaults: { rounds: 10 },
  run: terminateAgainAndAgain,
};

/** What the server promises. */
const exitWithinMs = 10_000;

async function terminateAgainAndAgain(
  options: PlanOptions,
): Promise<PlanReport> {
  const { rounds, progress } = options;
  await using rig = await Rig.start({ audiences: mixedAudiences(120) });
  const exitsMs: number[] = [];
  const badExits: string[] = [];
  await rig.publish();
  for (let round = 1; round <= rounds; round++) {
    // Long enough for attempts to hang, at a moment that differs.
    await rig.untilAccepted(50);
    await pause(Math.random() * 2000);
    const begun = performance.now();
    // One that hangs hears no signal; the plan ends, and kills it.
    const code = await within(rig.server.stop(), "it exits", 6 * exitWithinMs);
    const took = Math.round(performance.now() - begun);
    exitsMs.push(took);
    progress(`exit ${round} of ${rounds}: ${code} after ${took} ms`);
    if (code !== 0 || took > exitWithinMs) {
      badExits.push(`${code ?? rig.server.child.signalCode} after ${took} ms`);
    }
    await rig.startServer();
  }
  await rig.stopPublishing();
  progress("waiting for the last deliveries");
  // It had the time to end what was open at healthy receivers: no excuse.
  const { figures, broken } = await judge(rig, []);
  return {
    figures: {
      SIGTERM: rounds,
      "longest exit, ms": Math.max(...exitsMs),
      "exits not 0 or too late": badExits.length,
      ...figures,
    },
    broken: [...brokenBy("exits were not 0 within 10 s", badExits), ...broken],
  };
}
