/** The command of `carillon pull --exec`, run for one message. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { PulledMessage } from "@carillon/client";
import { CommandFailure } from "./command-failure.ts";
import { Interruption } from "./stop-signal.ts";

/**
 * Runs it by the shell with the message's text as its standard input, and what
 * else there is of the message in its environment; what it prints is printed. The
 * signal is passed on to it and to all that it started.
 *
 * @returns why it failed, such as `exited with 3`; `undefined`: it did not
 * @throws CommandFailure when there is no shell to run it
 */
export async function runForMessage(
  command: string,
  message: PulledMessage,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (signal.aborted) return "was not run";
  const child = spawn(command, {
    shell: true,
    stdio: ["pipe", "inherit", "inherit"],
    env: { ...process.env, ...messageVariables(message) },
    // A process group of its own: the shell alone would leave its commands.
    detached: hasGroups,
  });
  const pass = () => {
    const { reason } = signal;
    endAll(child, reason instanceof Interruption ? reason.signal : "SIGTERM");
  };
  signal.addEventListener("abort", pass);
  // It need not read the text.
  child.stdin.on("error", () => {});
  child.stdin.end(message.body);
  try {
    const [code, killedBy] = await once(child, "exit");
    if (code === 0) return undefined;
    return code === null ? `was ended by ${killedBy}` : `exited with ${code}`;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CommandFailure(`${command} cannot be run: ${why}.`, 1, { cause });
  } finally {
    signal.removeEventListener("abort", pass);
  }
}

const hasGroups = process.platform !== "win32";

function endAll(child: ChildProcess, signal: NodeJS.Signals): void {
  if (!hasGroups || child.pid === undefined) {
    child.kill(signal);
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch {
    // All of them have ended by themselves.
  }
}

/** All begin CARILLON_MESSAGE_, which no variable of the program's does. */
function messageVariables(
  message: PulledMessage,
): Readonly<Record<string, string>> {
  const { attributes, data } = message;
  return {
    CARILLON_MESSAGE_ID: message.id,
    CARILLON_MESSAGE_LEASE_ID: message.leaseId,
    CARILLON_MESSAGE_LEASE_UNTIL: message.leaseUntil,
    CARILLON_MESSAGE_DELIVERY_COUNT: String(message.deliveryCount),
    CARILLON_MESSAGE_TOPIC_URN: message.topicUrn ?? "",
    CARILLON_MESSAGE_CREATED_AT: message.createdAt,
    CARILLON_MESSAGE_CATEGORIES: JSON.stringify(message.categories),
    CARILLON_MESSAGE_SUBJECT: message.subject ?? "",
    CARILLON_MESSAGE_ORDERING_KEY: message.orderingKey ?? "",
    CARILLON_MESSAGE_DATA: JSON.stringify(data ?? {}),
    CARILLON_MESSAGE_ATTRIBUTES: JSON.stringify(attributes ?? []),
  };
}
