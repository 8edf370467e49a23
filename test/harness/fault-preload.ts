/**
 * Loaded into the server before its own code (`--import`), in each of its
 * threads. On SIGUSR2 the main thread does what the fault file says, and
 * removes the file when it is done:
 *
 *     { "blockMs": 10000 }      spins: the event loop stands still
 *     { "clockMs": 3600000 }    Date is so far from the truth from now on
 */

import { readFileSync, rmSync } from "node:fs";
import process from "node:process";
import {
  getEnvironmentData,
  isMainThread,
  setEnvironmentData,
} from "node:worker_threads";
import { type Fault, faultFileVariable } from "./faults.ts";

const sharedKey = "carillon-torture-clock";

/** Shared by all threads: one number, in milliseconds. */
const offset = new Float64Array(sharedBuffer());

function sharedBuffer(): SharedArrayBuffer {
  const inherited = getEnvironmentData(sharedKey);
  if (inherited instanceof SharedArrayBuffer) return inherited;
  const buffer = new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT);
  setEnvironmentData(sharedKey, buffer);
  return buffer;
}

const TrueDate = Date;
const trueNow = Date.now.bind(Date);
const now = () => trueNow() + (offset[0] ?? 0);

globalThis.Date = new Proxy(TrueDate, {
  apply: () => new TrueDate(now()).toString(),
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
});

const file = process.env[faultFileVariable];
if (isMainThread && file !== undefined) {
  process.on("SIGUSR2", () => {
    const fault = JSON.parse(readFileSync(file, "utf8")) as Fault;
    if ("clockMs" in fault) offset[0] = fault.clockMs;
    else {
      const end = performance.now() + fault.blockMs;
      while (performance.now() < end);
    }
    rmSync(file);
  });
}
