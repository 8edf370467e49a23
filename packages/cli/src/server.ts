/** A server to talk to, and its failures as sentences for people. */

import {
  AuthenticationError,
  type Carillon,
  ConnectionError,
  connect,
  InvalidOptionsError,
  InvalidResponseError,
  RequestTimeoutError,
  ResponseError,
  type Smn,
} from "@carillon/client";
import { CommandFailure } from "./command-failure.ts";
import {
  type Connection,
  type ConnectionOptions,
  findConnection,
} from "./connection.ts";

export interface Server {
  readonly smn: Smn;
  readonly carillon: Carillon;
}

/**
 * Finds the server that the options and the environment name, and lets `run`
 * talk to it.
 *
 * @throws CommandFailure when there is none, or it refuses
 */
export async function withServer<Result>(
  options: ConnectionOptions,
  run: (server: Server) => Promise<Result>,
): Promise<Result> {
  return await talkTo(await findConnection(options, process.env), run);
}

/** @throws CommandFailure when the server is not there, or refuses */
export async function talkTo<Result>(
  { url, accessKey, secretKey, projectId }: Connection,
  run: (server: Server) => Promise<Result>,
  timeoutMs = 30_000,
): Promise<Result> {
  try {
    const server = connect({
      endpoint: url,
      accessKey,
      secretKey,
      projectId,
      // Neither clocks that differ nor a proxy's paths are in the way.
      scheme: "basic",
      timeoutMs,
      // Whoever typed the command sees what is wrong, and repeats it.
      retry: { maxRetries: 0 },
    });
    return await run(server);
  } catch (error) {
    throw toFailure(error, url);
  }
}

/** Errors that are not the client's stay as they are. */
function toFailure(error: unknown, url: string): unknown {
  const failure = (message: string, exitCode: 1 | 2 = 1) =>
    new CommandFailure(message, exitCode, { cause: error });
  if (error instanceof RequestTimeoutError) {
    return failure(
      `${url} did not answer within ${error.timeoutMs / 1000} s; look at the server's log, or run carillon doctor.`,
    );
  }
  if (error instanceof ConnectionError) {
    return failure(
      `No server answers at ${url}: start one with carillon serve, or say where it is with --url.`,
    );
  }
  if (error instanceof InvalidResponseError) {
    return failure(
      "The server's answer was not understood: is it a Carillon of this version?",
    );
  }
  if (error instanceof InvalidOptionsError) return failure(error.message, 2);
  if (!(error instanceof ResponseError)) return error;
  const { smnCode, status, reason } = error;
  const place = [smnCode, `HTTP ${status}`].filter(Boolean).join(", ");
  if (error instanceof AuthenticationError) {
    return failure(
      `${url} does not accept these keys (${place}): is CARILLON_ACCESS_KEY, or credentials.json, of this server?`,
    );
  }
  return failure(
    reason === undefined
      ? `${url} answered without saying why (${place}).`
      : `${reason} (${place})`,
  );
}
