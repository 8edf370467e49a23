/**
 * SIGSTOP for longer than a lease lasts, then SIGCONT: as a machine that is
 * suspended, or a process that is moved. What it held has run out, and it does
 * not know yet.
 */

import { setTimeout as pause } from "node:timers/promises";
import { judge } from "../judge.ts";
import type { Plan, PlanOptions, PlanReport } from "../plan.ts";
import { mixedAudiences, Rig } from "../rig.ts";

export const stopContinue: Plan = {
  name: "stop-continue",
  summary: "SIGSTOP for longer than a lease (set to 120 s), then SIGCONT",
  defaults: { seconds: 130 },
  run: stopAndContinue,
};

async function stopAndContinue(options: PlanOptions): Promise<PlanReport> {
  const { seconds, progress } = options;
  // What was accepted before the stop must not run out during it.
  await using rig = await Rig.start({
    audiences: mixedAudiences(seconds + 60),
    server: { args: ["--lease-ms=120000"] },
  });
  await rig.publish();
  await rig.untilAccepted(200);
  progress(`stopped for ${seconds} s`);
  const from = Date.now();
  rig.server.signal("SIGSTOP");
  await pause(seconds * 1000);
  rig.server.signal("SIGCONT");
  const span = { from, to: Date.now() };
  await rig.untilAccepted(200);
  await rig.stopPublishing();
  progress("waiting for the last deliveries");
  const { figures, broken } = await judge(rig, [span]);
  return {
    figures: { "stopped, ms": span.to - span.from, ...figures },
    broken,
  };
}
