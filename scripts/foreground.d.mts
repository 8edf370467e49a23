export function runInForeground(
  command: string,
  arguments_: readonly string[],
  options?: { cwd?: string; env?: NodeJS.ProcessEnv },
): Promise<number>;
