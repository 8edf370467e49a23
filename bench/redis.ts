/** A Redis of our own with nothing kept on disk, its fastest way. */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type Child, toChild } from "./processes.ts";

const port = 16_379;

/** What a result says when it has no figure for want of Redis. */
export const withoutRedis =
  "÷ BullMQ: redis-server is not installed (Debian: redis-server)";

/** `undefined` where none is installed. */
export async function startRedis(): Promise<Child | undefined> {
  if (spawnSync("redis-server", ["--version"]).error) return undefined;
  const child = spawn(
    "redis-server",
    ["--port", String(port), "--save", "", "--bind", "127.0.0.1"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.includes("Ready to accept connections")) continue;
    child.stdout.resume();
    return toChild(child, port);
  }
  await once(child, "exit");
  throw new Error("redis-server did not start");
}
