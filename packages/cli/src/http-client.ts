/** One request to the server: keys, deadline, and failures as sentences. */

import { type Answer, isAnswer, toAnswer } from "./answer.ts";
import { CommandFailure } from "./command-failure.ts";
import type { Connection } from "./connection.ts";

export interface HttpClient {
  readonly url: string;
  /**
   * @param path starts with a slash
   * @throws CommandFailure when the server is not there or refuses
   */
  request(
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    body?: unknown,
  ): Promise<Answer>;
}

export function createHttpClient(
  connection: Connection,
  options: { readonly timeoutMs?: number } = {},
): HttpClient {
  const { url, accessKey, secretKey } = connection;
  const { timeoutMs = 30_000 } = options;
  const keys = Buffer.from(`${accessKey}:${secretKey}`).toString("base64");
  return {
    url,
    async request(method, path, body) {
      let response: Response;
      let text: string;
      try {
        response = await fetch(`${url}${path}`, {
          method,
          headers: {
            authorization: `Basic ${keys}`,
            accept: "application/json",
            ...(body !== undefined && { "content-type": "application/json" }),
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(timeoutMs),
        });
        text = await response.text();
      } catch (cause) {
        throw notReached(url, timeoutMs, cause);
      }
      // 204 answers nothing, and that is all there is to say.
      const answer = response.status === 204 ? {} : parse(text);
      if (response.ok) return toAnswer(answer);
      throw refused(response.status, answer, url);
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's page, or an empty body: the status says more.
    return undefined;
  }
}

function notReached(
  url: string,
  timeoutMs: number,
  cause: unknown,
): CommandFailure {
  const late = cause instanceof Error && cause.name === "TimeoutError";
  return new CommandFailure(
    late
      ? `${url} did not answer within ${timeoutMs / 1000} s; look at the server's log, or run carillon doctor.`
      : `No server answers at ${url}: start one with carillon serve, or say where it is with --url.`,
    1,
    { cause },
  );
}

function refused(status: number, body: unknown, url: string): CommandFailure {
  const answer: Answer = isAnswer(body) ? body : {};
  const words = [
    answer.message,
    answer.detail,
    answer.error_msg,
    answer.title,
  ].find((word) => typeof word === "string" && word !== "");
  const code = [answer.code, answer.error_code].find(
    (word) => typeof word === "string",
  );
  const place = [code, `HTTP ${status}`].filter(Boolean).join(", ");
  if (status === 401) {
    return new CommandFailure(
      `${url} does not accept these keys (${place}): is CARILLON_ACCESS_KEY, or credentials.json, of this server?`,
    );
  }
  return new CommandFailure(
    words === undefined
      ? `${url} answered without saying why (${place}).`
      : `${words} (${place})`,
  );
}
