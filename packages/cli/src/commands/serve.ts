/** `carillon serve`: the server until a signal stops it. */

import { once } from "node:events";
import { join } from "node:path";
import {
  type Config,
  ConfigError,
  credentialsFileName,
  type Logger,
  loadConfig,
  type Server,
  serve,
} from "@carillon/server";
import { Command } from "commander";
import { addExamples } from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import { addConfigOptions } from "../config-options.ts";
import { createLogger } from "../logger.ts";
import { logUncaughtErrors, type NodeWarnings } from "../node-reports.ts";
import { startScreen } from "../start-screen.ts";
import {
  Interruption,
  onHangUp,
  serverStopSignals,
  stopSignal,
} from "../stop-signal.ts";

/** Closing takes no longer by itself; a disk or a provider may hang. */
const exitDeadlineMs = 9500;

/** @param warnings kept since the program began */
export function serveCommand(warnings?: NodeWarnings): Command {
  const command = addConfigOptions(
    new Command("serve").description(
      'Run the server. Ready is one line on stdout ({"event":"ready","url":…} when that is no terminal); the log goes to stderr. SIGTERM or Ctrl-C finishes what is under way and exits 0, a second one exits at once. SIGHUP reads the configuration file again, as carillon config reload does.',
    ),
  );
  return addExamples(command, [
    "carillon serve",
    "carillon serve --sandbox --port 0",
    "carillon serve --config /etc/carillon.json --data /var/lib/carillon",
  ]).action(async (flags: Record<string, unknown>) => {
    try {
      // Flags and environment stay as they are now; the file may change.
      const env = { ...process.env };
      await runServer(() => loadConfig({ flags, env }), warnings);
    } catch (error) {
      if (process.stderr.isTTY) throw error;
      // Where there is no terminal, stderr is lines of the log and nothing else.
      const logger = createLogger({ level: "error" });
      if (error instanceof CommandFailure) {
        logger.error("start_failed", { message: error.message });
        process.exitCode = error.exitCode;
      } else {
        logger.error("uncaught_error", { error });
        process.exitCode = 1;
      }
    }
  });
}

/** @throws CommandFailure with every mistake, exit code 2 */
function readFirst(read: () => Config): Config {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CommandFailure(error.message, 2, { cause: error });
  }
}

async function runServer(
  readConfig: () => Config,
  warnings: NodeWarnings | undefined,
): Promise<void> {
  const config = readFirst(readConfig);
  const logger = createLogger({ level: config.logLevel });
  warnings?.logTo(logger);
  logUncaughtErrors(logger);
  // From here on: a signal during start stops what was started.
  const stop = stopSignal(serverStopSignals);
  let isReloadWanted = false;
  onHangUp(() => {
    isReloadWanted = true;
  });
  let stoppedAt = 0;
  stop.addEventListener("abort", () => {
    stoppedAt = performance.now();
    logger.info("stopping", { reason: reasonOf(stop) });
    setTimeout(() => exitLate(logger), exitDeadlineMs);
  });
  const exitStopped = (): never => {
    const durationMs = Math.round(performance.now() - stoppedAt);
    logger.info("stopped", { reason: reasonOf(stop), durationMs });
    // What a library may have left open (a timer, a socket) is not waited for.
    process.exit(0);
  };
  let server: Server;
  try {
    server = await serve(config, {
      logger,
      droppedLogLines: logger.droppedLines,
      readConfig,
      onReloaded: ({ logLevel }) => logger.setLevel(logLevel),
      signal: stop,
    });
  } catch (error) {
    if (error === stop.reason) exitStopped();
    const exitCode = error instanceof ConfigError ? 2 : 1;
    throw new CommandFailure(whyNotStarted(error, config), exitCode, {
      cause: error,
    });
  }
  announce(server, config, logger);
  const reload = () => {
    if (!stop.aborted) reloadLogged(server);
  };
  onHangUp(reload);
  // It came while the server started, which had read the file before.
  if (isReloadWanted) reload();
  const end = AbortSignal.any([stop, server.failed]);
  if (!end.aborted) await once(end, "abort");
  const { failed } = server;
  if (failed.aborted) {
    logger.error("service_failed", { error: failed.reason });
    setTimeout(exitFailed, exitDeadlineMs);
    // Nothing more can be written: there is nothing to wait for.
    await server.close({ signal: failed }).catch(exitFailed);
    exitFailed();
  }
  await server.close();
  exitStopped();
}

/** Whatever it fails with is in the log. */
function reloadLogged(server: Server): void {
  try {
    server.reload();
  } catch {
    // The server goes on with what it had.
  }
}

/** The signal that stopped it. */
function reasonOf({ reason }: AbortSignal): string | undefined {
  return reason instanceof Interruption ? reason.signal : undefined;
}

function announce(server: Server, config: Config, logger: Logger): void {
  const { url, credentials, ignoredPresets } = server;
  // npm runs programs in the package's folder, wherever it was typed.
  const folder = process.env.INIT_CWD ?? process.cwd();
  process.stdout.write(
    process.stdout.isTTY
      ? startScreen({ url, config, credentials, ignoredPresets, folder })
      : `${JSON.stringify({ event: "ready", url })}\n`,
    (error) => {
      if (error) logger.warn("ready_line_not_written", { error });
    },
  );
  // Secrets are shown to people, not written to a service manager's log.
  if (credentials && !process.stdout.isTTY) {
    logger.info("credentials_written", {
      file: join(config.data, credentialsFileName),
    });
  }
}

/** So that a service manager starts it anew. */
function exitFailed(): never {
  process.exit(1);
}

function exitLate(logger: Logger): never {
  logger.warn("stop_unfinished", { durationMs: exitDeadlineMs });
  process.exit(0);
}

function whyNotStarted(error: unknown, config: Config): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? error.code : undefined;
  switch (code) {
    case "EADDRINUSE":
      return `Port ${config.port} on ${config.host} is in use by another program: stop it, or choose another port with --port (0 picks a free one).`;
    case "EACCES":
      return isListening(error)
        ? `This user may not listen on port ${config.port}: choose one above 1023 with --port.`
        : `This user may not use the data folder ${config.data} (${error.message}): give it to this user, or choose another with --data.`;
    case "ENOSPC":
    case "EDQUOT":
      return `The disk of the data folder ${config.data} is full: make room on it, or choose another folder with --data.`;
    case "EROFS":
      return `The data folder ${config.data} is on a read-only file system: choose another with --data.`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `${config.host} is no address of this machine: choose another with --host.`;
    default:
      // Failures with a code of ours are sentences; others are faults.
      return typeof code === "string" && !code.startsWith("ERR_")
        ? error.message
        : `The server did not start. ${error.stack ?? error.message}`;
  }
}

function isListening(error: Error): boolean {
  return "syscall" in error && error.syscall === "listen";
}
