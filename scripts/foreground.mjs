// Runs a program in the foreground of another: same terminal, same signals,
// same exit code. Plain JavaScript for any Node from 18.
import { spawn } from "node:child_process";
import { constants } from "node:os";

const forwarded = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Resolves to the exit code; 128 + n when signal n ended the program, 1 (and a
 * sentence on stderr) when it could not be started.
 *
 * @param {string} command
 * @param {readonly string[]} arguments_
 * @param {Pick<import("node:child_process").SpawnOptions, "cwd" | "env" | "stdio">} options
 * @returns {Promise<number>}
 */
export function runInForeground(command, arguments_, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, arguments_, { stdio: "inherit", ...options });
    // Without these a signal to this process alone (a supervisor's SIGTERM)
    // would leave the program running. Ctrl-C reaches both; the program then
    // sees it twice and has to take both for one.
    const forward = (signal) => child.kill(signal);
    for (const signal of forwarded) process.on(signal, forward);
    const end = (status) => {
      for (const signal of forwarded) process.off(signal, forward);
      resolve(status);
    };
    child.once("error", (error) => {
      console.error(`Could not run ${command}: ${error.message}`);
      end(1);
    });
    child.once("exit", (code, signal) =>
      end(code ?? 128 + (constants.signals[signal] ?? 0)),
    );
  });
}
