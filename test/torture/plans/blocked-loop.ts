/**
 * The server's event loop stands still for some seconds: timers and answers
 * all come late and at once.
 */

import { judge } from "../judge.ts";
import type { Plan, PlanOptions, PlanReport } from "../plan.ts";
import { mixedAudiences, Rig } from "../rig.ts";

export const blockedLoop: Plan = {
  name: "blocked-loop",
  summary: "the event loop stands still under load",
  defaults: { seconds: 10 },
  run: block,
};

async function block(options: PlanOptions): Promise<PlanReport> {
  const { seconds, progress } = options;
  await using rig = await Rig.start({
    audiences: mixedAudiences(60),
    withFaults: true,
  });
  await rig.publish();
  await rig.untilAccepted(200);
  progress(`the event loop stands still for ${seconds} s`);
  const from = Date.now();
  await rig.inject({ blockMs: seconds * 1000 });
  const span = { from, to: Date.now() };
  // It serves again, and goes on with what it had.
  await rig.untilAccepted(200);
  await rig.stopPublishing();
  progress("waiting for the last deliveries");
  const { figures, broken } = await judge(rig, [span]);
  return {
    figures: { "stood still, ms": span.to - span.from, ...figures },
    broken,
  };
}
