/** A server to talk to, and its failures as sentences for people. */

import { type Carillon, connect, type Smn } from "@carillon/client";
import {
  type Connection,
  type ConnectionOptions,
  findConnection,
} from "./connection.ts";
import { toFailure } from "./failure-sentence.ts";

export interface Server {
  readonly url: string;
  readonly smn: Smn;
  readonly carillon: Carillon;
  /** The one that it is asked with. */
  readonly accessKey: string;
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
  { url, accessKey, secretKey, projectId, from }: Connection,
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
    return await run({ ...server, url, accessKey });
  } catch (error) {
    throw toFailure(error, url, from);
  }
}
