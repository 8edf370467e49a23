/**
 * A process that accepts messages as fast as it can and writes the id of each
 * to stdout once it was promised to be kept. When the store refuses, it says so
 * and goes on at the next line of stdin.
 */

import { randomBytes } from "node:crypto";
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import {
  addMs,
  CarillonError,
  createTimeOrderedIds,
  type MessageId,
  type ProjectId,
  systemClock,
} from "@carillon/core";
import { openSqliteStore } from "./sqlite-store.ts";

const [, , folder = "", limit = "Infinity"] = process.argv;
const projectId = "0".repeat(32) as ProjectId;
const newId = createTimeOrderedIds(systemClock.now, (n) =>
  randomBytes(n).toString("hex"),
);
const input = createInterface(process.stdin)[Symbol.asyncIterator]();
const store = await openSqliteStore({ folder });
let accepted = 0;

/**
 * Not console.log, whose buffer would die with the process. A line is shorter
 * than what a pipe takes whole; a full pipe is waited for.
 */
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

async function acceptOne(): Promise<void> {
  const id = newId() as MessageId;
  try {
    await store.acceptDirectMessage(
      {
        id,
        projectId,
        audience: "direct",
        content: { kind: "text", text: "x".repeat(500) },
        createdAt: systemClock.now(),
        expiresAt: addMs(systemClock.now(), 60_000),
      },
      [{ protocol: "sms", endpoint: "+491511234567", billable: true }],
    );
    accepted++;
    say(`accepted ${id}`);
  } catch (error) {
    const code = error instanceof CarillonError ? error.code : error;
    say(`${code} ${id}`);
    throw error;
  }
}

async function acceptUntil(count: number): Promise<void> {
  const caller = async () => {
    while (accepted < count) await acceptOne();
  };
  await Promise.allSettled(Array.from({ length: 16 }, caller));
}

await acceptUntil(Number(limit));
say("stopped");
await input.next();
await acceptUntil(accepted + 100);
await store.close();
process.exit(0);
