/** Faults that the harness puts into a running server: see fault-preload.ts. */

import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import type { CarillonProcess } from "./carillon-process.ts";
import { until } from "./until.ts";

export type Fault = { readonly blockMs: number } | { readonly clockMs: number };

export const faultFileVariable = "TORTURE_FAULT_FILE";

/** The environment of a server that faults can be put into. */
export function faultEnvironment(file: string): Record<string, string> {
  const preload = new URL("./fault-preload.ts", import.meta.url);
  return {
    NODE_OPTIONS: `--import=${preload} --disable-warning=ExperimentalWarning`,
    [faultFileVariable]: file,
  };
}

/** Resolves when the fault is there; a block, when it is over. */
export async function inject(
  server: CarillonProcess,
  file: string,
  fault: Fault,
): Promise<void> {
  await writeFile(file, JSON.stringify(fault));
  server.signal("SIGUSR2");
  const waitMs = 10_000 + ("blockMs" in fault ? fault.blockMs : 0);
  await until(() => !existsSync(file), "the fault was not taken", waitMs, 20);
}
