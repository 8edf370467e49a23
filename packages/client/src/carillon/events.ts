/** Events of a project, as they happen. */

import { sleep } from "../abort.ts";
import type { Api } from "../api.ts";
import { ConnectionError, ResponseError, ServerError } from "../errors.ts";
import { type JsonObject, parseObject } from "../json.ts";
import { readServerSentEvents } from "../server-sent-events.ts";
import type { RequestOptions } from "../transport.ts";

/** Absent members do not constrain. */
export interface EventQuery {
  /** Such as `delivery.failed`, `delivery.*` or `inbound.received`. */
  readonly events?: readonly string[] | undefined;
  /** Name or URN. */
  readonly topic?: string | undefined;
  /** Id of a message. */
  readonly message?: string | undefined;
  readonly protocol?: string | undefined;
  /** Id of the last event that was seen; default: begins at the present. */
  readonly after?: string | undefined;
}

/**
 * What happened. `summary` stands for events beyond 50 a second: `counts` says
 * how many of each. `gap`: what happened before is not kept any more, or cannot
 * be read.
 */
export interface CarillonEvent extends JsonObject {
  readonly event: string;
  /** For {@link EventQuery.after}. */
  readonly id: string;
}

/** How events are followed. */
export interface FollowOptions extends Pick<RequestOptions, "signal"> {
  /**
   * Told that a connection broke or the server is gone, once, and once when
   * there is one again. An end that the server announced to renew the stream is
   * neither.
   */
  readonly onConnection?: ((state: "lost" | "restored") => void) | undefined;
}

/** The server says something every 15 s. */
const maxSilenceMs = 45_000;
const maxDelayMs = 30_000;

export function createEvents(open: Api<Response>) {
  return async function* events(
    { events: types, after: start, ...filter }: EventQuery = {},
    { signal, onConnection }: FollowOptions = {},
  ): AsyncGenerator<CarillonEvent, void, undefined> {
    let after = start;
    let failures = 0;
    let hasBegun = false;
    let isLost = false;
    let callersError: unknown;
    const tell = (state: "lost" | "restored") => {
      isLost = state === "lost";
      try {
        onConnection?.(state);
      } catch (error) {
        // No broken connection, though it may be a TypeError as well.
        callersError = error;
        throw error;
      }
    };
    for (;;) {
      signal?.throwIfAborted();
      // Ends the connection when the loop is left, or the server is silent.
      const connection = new AbortController();
      const end = () => connection.abort(signal?.reason);
      signal?.addEventListener("abort", end, { once: true });
      try {
        const query = { ...filter, events: types?.join(","), after };
        const request = { method: "GET", path: ["events"], query } as const;
        const response = await open(request, { signal: connection.signal });
        hasBegun = true;
        if (isLost) tell("restored");
        const silence = () => connection.abort(silent);
        for await (const { event, id, data } of readServerSentEvents(
          response,
          maxSilenceMs,
          silence,
        )) {
          failures = 0;
          after = id ?? after;
          if (event === undefined || event === "end") continue;
          const facts = parseObject(data) ?? {};
          yield { ...facts, event, id: after ?? "" };
        }
      } catch (error) {
        signal?.throwIfAborted();
        // The first time it is for the caller to see: a wrong key, no server.
        if (error === callersError) throw error;
        if (!hasBegun || !mayPass(error, connection.signal)) throw error;
        failures++;
        if (!isLost) tell("lost");
      } finally {
        signal?.removeEventListener("abort", end);
        connection.abort();
      }
      await sleep(Math.min(maxDelayMs, 1000 * 2 ** failures), signal);
    }
  };
}

const silent = new Error("The server was silent.");

/** Whether the same request may succeed later. */
function mayPass(error: unknown, { aborted }: AbortSignal): boolean {
  if (error instanceof ResponseError) return error instanceof ServerError;
  return aborted || error instanceof ConnectionError || isBroken(error);
}

/** What a body that breaks off in the middle throws in all runtimes. */
function isBroken(error: unknown): boolean {
  return error instanceof TypeError;
}
