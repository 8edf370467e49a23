/** Can the data folder be used, has its disk room, and is it fast? */

import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { open, rm, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Finding } from "./check.ts";

const mib = 2 ** 20;

/** Every publish waits for one of these. */
const slowSyncMs = 20;

/**
 * Can the data folder be written, with room and durably?
 *
 * @throws the signal's reason; no file is left behind then
 */
export async function checkDisk(
  folder: string,
  signal?: AbortSignal,
): Promise<readonly Finding[]> {
  const usable = await checkFolder(folder);
  const place = nearestExisting(folder);
  return [
    usable,
    await checkSpace(place),
    ...(usable.result === "failed" ? [] : [await checkSync(place, signal)]),
  ];
}

async function checkFolder(folder: string): Promise<Finding> {
  const check = "data folder";
  const place = nearestExisting(folder);
  try {
    if (!(await stat(place)).isDirectory()) {
      return {
        check,
        result: "failed",
        found: `${place} is not a folder`,
        advice: "Choose another with --data.",
      };
    }
    await withScratchFile(place, async () => {});
  } catch (error) {
    if (isFull(error)) return fullDisk(check, place, error);
    return {
      check,
      result: "failed",
      found: `${place} cannot be written (${codeOf(error)})`,
      advice: "Give this user the right to write there, or choose --data.",
    };
  }
  return {
    check,
    result: "ok",
    found: place === folder ? folder : `${folder} will be made`,
  };
}

async function checkSpace(place: string): Promise<Finding> {
  const check = "disk space";
  const { bavail, bsize } = await statfs(place);
  const free = bavail * bsize;
  const found = `${Math.floor(free / mib).toLocaleString("en")} MiB free`;
  const advice = "Make room: without it publishing is refused.";
  if (free < 64 * mib) return { check, result: "failed", found, advice };
  if (free < 1024 * mib) return { check, result: "warning", found, advice };
  return { check, result: "ok", found };
}

async function checkSync(
  place: string,
  signal: AbortSignal | undefined,
): Promise<Finding> {
  const check = "disk sync";
  const times: number[] = [];
  try {
    await withScratchFile(place, async (file) => {
      const page = randomBytes(4096);
      for (let i = 0; i < 20; i++) {
        signal?.throwIfAborted();
        const begun = performance.now();
        await file.write(page);
        await file.datasync();
        times.push(performance.now() - begun);
      }
    });
  } catch (error) {
    signal?.throwIfAborted();
    if (isFull(error)) return fullDisk(check, place, error);
    return {
      check,
      result: "failed",
      found: `${place} takes no data (${codeOf(error)})`,
      advice: "See that the disk works, or put the data folder on another.",
    };
  }
  times.sort((a, b) => a - b);
  const median = times[times.length >> 1] ?? 0;
  const worst = times.at(-1) ?? 0;
  const found = `median ${median.toFixed(1)} ms, worst ${worst.toFixed(1)} ms`;
  return median <= slowSyncMs
    ? { check, result: "ok", found }
    : {
        check,
        result: "warning",
        found,
        advice:
          "Each publish waits that long: put the data folder on a faster disk.",
      };
}

async function withScratchFile(
  folder: string,
  use: (file: Awaited<ReturnType<typeof open>>) => Promise<void>,
): Promise<void> {
  const path = join(folder, `.doctor-${randomBytes(4).toString("hex")}`);
  const file = await open(path, "wx", 0o600);
  try {
    await use(file);
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

/** Of the disk, of a user's share of it, or of what a process may write. */
function isFull(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT", "EFBIG"].includes(codeOf(error));
}

function fullDisk(check: string, place: string, error: unknown): Finding {
  return {
    check,
    result: "failed",
    found: `the disk of ${place} is full (${codeOf(error)})`,
    advice: "Make room: a server that runs goes on by itself then.",
  };
}

/** The folder, or the one above it that is there. */
function nearestExisting(folder: string): string {
  let place = folder;
  while (!existsSync(place) && dirname(place) !== place) {
    place = dirname(place);
  }
  return place;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error
    ? String(error.code)
    : String(error);
}
