/** Events of a project, as they happen. */

import type { Api } from "../api.ts";
import {
  type FollowedStream,
  type FollowOptions,
  followStream,
} from "../followed-stream.ts";
import { type JsonObject, parseObject } from "../json.ts";

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

export function createEvents(open: Api<Response>) {
  return async function* events(
    { events: types, after: start, ...filter }: EventQuery = {},
    options: FollowOptions = {},
  ): AsyncGenerator<CarillonEvent, void, undefined> {
    const stream: FollowedStream = {
      after: start,
      open: (after, signal) => {
        const query = { ...filter, events: types?.join(","), after };
        return open({ method: "GET", path: ["events"], query }, { signal });
      },
    };
    for await (const { event, id, data } of followStream(stream, options)) {
      yield { ...parseObject(data), event, id };
    }
  };
}
