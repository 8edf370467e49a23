import { createServer } from "node:net";
import type { Finding } from "./check.ts";

/**
 * Could the server listen there? Its own running server is no obstacle.
 *
 * @param runningUrl where a server of the same data folder answers
 */
export async function checkPort(
  host: string,
  port: number,
  runningUrl: string | undefined,
): Promise<Finding> {
  const check = "port";
  const place = `${host}:${port}`;
  if (port === 0) {
    return { check, result: "ok", found: "a free one is picked at start" };
  }
  const failure = await tryToListen(host, port);
  if (failure === undefined) {
    return { check, result: "ok", found: `${place} is free` };
  }
  if (failure === "EADDRINUSE") {
    return runningUrl && new URL(runningUrl).port === String(port)
      ? { check, result: "ok", found: `${place} is used by this server` }
      : {
          check,
          result: "failed",
          found: `${place} is in use by another program`,
          advice: "Stop it, or choose another port with --port.",
        };
  }
  return {
    check,
    result: "failed",
    found: `${place} cannot be listened on (${failure})`,
    advice:
      failure === "EACCES"
        ? "Choose a port above 1023 with --port."
        : "Choose an address of this machine with --host.",
  };
}

function tryToListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) =>
      resolve(error.code ?? error.message),
    );
    server.listen({ host, port, exclusive: true }, () =>
      server.close(() => resolve(undefined)),
    );
  });
}
