/**
 * The disk of the data folder and of the log fills up under load, and is freed
 * again. The disk is a small tmpfs, which takes the right to mount.
 */

import { execFile } from "node:child_process";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { notifications, request } from "../../harness/api.ts";
import type { LoadReport } from "../../harness/load.ts";
import { judge } from "../judge.ts";
import {
  brokenBy,
  type Plan,
  type PlanOptions,
  type PlanReport,
} from "../plan.ts";
import { mixedAudiences, Rig } from "../rig.ts";

export const fullDisk: Plan = {
  name: "full-disk",
  summary: "the disk of data and log fills up, and is freed",
  defaults: {},
  run: fillAndFree,
};

const run = promisify(execFile);
const megabyte = 1024 * 1024;
const diskMegabytes = 32;
/** What is freed later. */
const ballastMegabytes = 12;

async function fillAndFree(options: PlanOptions): Promise<PlanReport> {
  await using cleanUp = new AsyncDisposableStack();
  const disk = await mkdtemp(join(tmpdir(), "carillon-disk-"));
  cleanUp.defer(() => rm(disk, { recursive: true, force: true }));
  try {
    const size = `size=${diskMegabytes}m`;
    await run("mount", ["-t", "tmpfs", "-o", size, "tmpfs", disk]);
  } catch (error) {
    const words = error instanceof Error ? error.message.trim() : error;
    return {
      figures: {},
      broken: [],
      skipped: `a small disk is needed, and this user may not mount one (${words}): run it as root.`,
    };
  }
  cleanUp.defer(async () => {
    await run("umount", [disk]);
  });
  return await runOn(disk, options);
}

async function runOn(
  disk: string,
  { progress }: PlanOptions,
): Promise<PlanReport> {
  const ballast = join(disk, "ballast");
  await writeFile(ballast, Buffer.alloc(ballastMegabytes * megabyte));
  await using rig = await Rig.start({
    audiences: mixedAudiences(120),
    server: { data: join(disk, "data"), logFile: join(disk, "carillon.log") },
  });
  progress("filling the disk");
  await rig.publish({ padding: 20_000 });
  await rig.until(
    async () => countRefused(await rig.load.call("report")) > 0,
    "the disk fills up",
    120_000,
  );
  const from = Date.now();
  await rig.stopPublishing();
  // Another program takes what is left.
  const rest = join(disk, "rest");
  await fill(rest);

  progress("full: publishing goes on, and is refused");
  await rig.publish();
  const before = countRefused(await rig.load.call("report"));
  await rig.until(
    async () => countRefused(await rig.load.call("report")) >= before + 50,
    "publishes are refused",
    60_000,
  );
  const broken = [...(await checkWhileFull(rig))];

  progress("freed: publishes must be taken by themselves");
  await rm(ballast);
  await rm(rest);
  const freed = performance.now();
  await rig.untilAccepted(50, 60_000);
  const takenAfterMs = Math.round(performance.now() - freed);
  const isReady = await becomes(rig, "/readyz", 200);
  if (!isReady) broken.push("/readyz did not answer 200 once there was room");
  await rig.stopPublishing();
  const span = { from, to: Date.now() };
  const refusals = checkRefusals(await rig.load.call("report"));
  progress("waiting for the last deliveries");
  const report = await judge(rig, [span]);
  return {
    figures: {
      "disk, MB": diskMegabytes,
      ...refusals.figures,
      "accepted again after, ms": takenAfterMs,
      ...report.figures,
    },
    broken: [...broken, ...refusals.broken, ...report.broken],
  };
}

/** The process lives, says that it is not ready, and answers reads. */
async function checkWhileFull(rig: Rig): Promise<string[]> {
  const wrong: string[] = [];
  if (rig.server.hasEnded) return ["the process ended when the disk was full"];
  if (!(await becomes(rig, "/readyz", 503))) {
    wrong.push("/readyz did not answer 503 while the disk was full");
  }
  for (const path of [
    "/healthz",
    "/api/v2/messages",
    `${notifications}/topics`,
    `${notifications}/subscriptions`,
  ]) {
    const { status } = await request(rig.server, "GET", path);
    if (status !== 200) wrong.push(`GET ${path} answered ${status} when full`);
  }
  return wrong;
}

async function becomes(
  rig: Rig,
  path: string,
  status: number,
): Promise<boolean> {
  try {
    await rig.until(
      async () => (await request(rig.server, "GET", path)).status === status,
      `${path} answers ${status}`,
      15_000,
    );
    return true;
  } catch {
    return false;
  }
}

/** 507, or 503 while it may pass; each with Retry-After and a body of ours. */
function checkRefusals({ refusals }: LoadReport): PlanReport {
  const figures: Record<string, number> = {};
  const wrong: string[] = [];
  for (const [status, { count, withRetryAfter, body }] of refusals) {
    figures[`publishes answered ${status}`] = count;
    if (status !== 507 && status !== 503) wrong.push(`${count} × ${status}`);
    if (withRetryAfter < count) {
      wrong.push(`${count - withRetryAfter} × ${status} without Retry-After`);
    }
    if (!hasErrorShape(body)) wrong.push(`${status} with ${body}`);
  }
  return {
    figures,
    broken: brokenBy("publishes were refused in the wrong way", wrong),
  };
}

/** SMN's: `request_id`, `code` and `message`. */
function hasErrorShape(text: string): boolean {
  try {
    const body: unknown = JSON.parse(text);
    return (
      typeof body === "object" &&
      body !== null &&
      ["request_id", "code", "message"].every((key) => key in body)
    );
  } catch {
    return false;
  }
}

function countRefused({ refusals }: LoadReport): number {
  return [...refusals.values()].reduce((sum, { count }) => sum + count, 0);
}

/** Writes until nothing fits any more. */
async function fill(path: string): Promise<void> {
  await using file = await open(path, "w");
  for (const size of [megabyte, 4096]) {
    const block = Buffer.alloc(size);
    for (let isFull = false; !isFull; ) {
      isFull = await file.write(block).then(
        ({ bytesWritten }) => bytesWritten < size,
        () => true,
      );
    }
  }
}
