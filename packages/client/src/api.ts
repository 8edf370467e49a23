/** Sends the operations of a service: finds the place, adds the credentials. */

import type { Authenticator, Session } from "./auth/authenticator.ts";
import { percentEncode } from "./encoding.ts";
import { AuthenticationError, InvalidOptionsError } from "./errors.ts";
import type {
  HttpAnswer,
  HttpMethod,
  HttpRequest,
  RequestOptions,
} from "./transport.ts";

/** A request of a service's API, without the place and the credentials. */
export interface ApiRequest {
  readonly method: HttpMethod;
  /** Below the place's URL; segments as they are, not encoded. */
  readonly path: readonly string[];
  /** A list: the parameter comes once for each. */
  readonly query?: Readonly<Record<string, QueryValue>> | undefined;
  readonly body?: object | undefined;
  /**
   * Makes the server carry it out once, however often it is sent, so that it is
   * sent again when no answer came.
   */
  readonly idempotencyKey?: string | undefined;
  /** Whether doing it twice is like doing it once. Default: unless a POST. */
  readonly isIdempotent?: boolean | undefined;
  /** What the server is asked to wait before it answers, in milliseconds. */
  readonly waitMs?: number | undefined;
  /** The answer is a list of objects. Default: an object. */
  readonly answersList?: boolean | undefined;
  /** Of a stream that is resumed: id of the last event that came. */
  readonly lastEventId?: string | undefined;
}

type QueryValue = string | number | undefined | readonly (string | number)[];

/** Resolves with a 2xx answer; anything else rejects with a SmnError. */
export type Api<Answer = HttpAnswer> = (
  request: ApiRequest,
  options?: RequestOptions,
) => Promise<Answer>;

export function createApi<Answer>(
  authenticator: Authenticator,
  transport: (request: HttpRequest) => Promise<Answer>,
  /** Where in a session's service its operations are. */
  place: (session: Session) => string,
): Api<Answer> {
  return async (request, options = {}) => {
    const target = toPath(request.path) + toQuery(request.query ?? {});
    const body = request.body && JSON.stringify(request.body);
    const { idempotencyKey: key, lastEventId } = request;
    const ownHeaders = {
      ...(key !== undefined && { "idempotency-key": key }),
      ...(lastEventId !== undefined && { "last-event-id": lastEventId }),
    };
    const send = (session: Session) => {
      const { method } = request;
      const url = place(session) + target;
      return transport({
        method,
        url,
        headers: async () => ({
          ...(await session.headers({ method, url, body: body ?? "" })),
          ...ownHeaders,
        }),
        body,
        isIdempotent:
          request.isIdempotent ?? (method !== "POST" || key !== undefined),
        signal: options.signal,
        timeoutMs: options.timeoutMs,
        waitMs: request.waitMs,
        answersList: request.answersList,
      });
    };
    const session = await authenticator.session(options);
    try {
      return await send(session);
    } catch (error) {
      if (!(error instanceof AuthenticationError)) throw error;
      // Nothing was done with the request, so publishing may be repeated too.
      const renewed = await authenticator.renew(session, options);
      if (renewed === undefined) throw error;
      return send(renewed);
    }
  };
}

function toPath(segments: readonly string[]): string {
  return segments.map((segment) => `/${encodeSegment(segment)}`).join("");
}

function encodeSegment(segment: string): string {
  // These would lead to another resource, whatever their encoding.
  if (segment === "" || segment === "." || segment === "..") {
    throw new InvalidOptionsError(
      `Expected an id, URN or name, got "${segment}".`,
    );
  }
  // Colons of URNs stay as they are, as every SMN client sends them.
  return percentEncode(segment).replaceAll("%3A", ":");
}

function toQuery(query: Readonly<Record<string, QueryValue>>): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value ?? []].flat().map((one) => `${name}=${percentEncode(String(one))}`),
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}
