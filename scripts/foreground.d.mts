import type { SpawnOptions } from "node:child_process";

export function runInForeground(
  command: string,
  arguments_: readonly string[],
  options?: Pick<SpawnOptions, "cwd" | "env" | "stdio">,
): Promise<number>;
