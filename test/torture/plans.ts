/** All plans, in the order in which they run. */

import type { Plan } from "./plan.ts";
import { blockedLoop } from "./plans/blocked-loop.ts";
import { clock } from "./plans/clock.ts";
import { fullDisk } from "./plans/full-disk.ts";
import { kill } from "./plans/kill.ts";
import { pull } from "./plans/pull.ts";
import { stopContinue } from "./plans/stop-continue.ts";
import { terminate } from "./plans/terminate.ts";

export const plans: readonly Plan[] = [
  kill,
  fullDisk,
  blockedLoop,
  clock,
  stopContinue,
  terminate,
  pull,
];
