/**
 * Serves receivers from a Fastify application, as a plugin of its own scope.
 * Structurally typed: Fastify itself is not needed to build or load this file.
 */

import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import {
  type AdapterOptions,
  readNodeBody,
  requestHead,
} from "./adapters/node-request.ts";
import { checkHandler, type ReceiverHandler } from "./receiver-handler.ts";

export type { AdapterOptions } from "./adapters/node-request.ts";

/**
 * What a Fastify instance is recognised by. Its real signatures are overloaded
 * and generic beyond what a structural type can repeat.
 */
export interface FastifyInstanceLike {
  addHook: (...args: never[]) => unknown;
  removeAllContentTypeParsers: (...args: never[]) => unknown;
  addContentTypeParser: (...args: never[]) => unknown;
  route: (...args: never[]) => unknown;
}

/**
 * A plugin for `app.register`, at the root or with a `prefix` of its own: the
 * handler's, if it has one, comes below. Its body parser stays inside the
 * plugin. What is no receiver's gets the application's own 404.
 *
 * @example
 * app.register(toFastifyPlugin(gateway.receiverHandler()), {
 *   prefix: "/24fb0d6963f",
 * });
 */
export function toFastifyPlugin(
  handler: ReceiverHandler,
  options: AdapterOptions = {},
): (app: FastifyInstanceLike) => Promise<void> {
  const { maxBodyBytes } = checkHandler(handler);
  return async (instance) => {
    // Fastify's documented signatures, as far as they are used here.
    const app = instance as FastifyInstanceLike & FastifyScope;
    const depth = app.prefix.split("/").filter(Boolean).length;
    app.addHook("onRequest", (request, reply, done) => {
      if (!handler.matches(pathBelow(depth, request.url))) {
        reply.callNotFound();
        return;
      }
      // Fastify answers 415 to an empty or malformed type before any parser;
      // what a carrier says its body is, only its provider can judge.
      request.headers = { "content-type": "application/octet-stream" };
      done();
    });
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", (_request, payload) =>
      readNodeBody(payload, maxBodyBytes),
    );
    app.route({
      // What a receiver does not take it answers itself, with 405.
      method: app.supportedMethods,
      exposeHeadRoute: false,
      url: `${handler.prefix}/*`,
      async handler(request, reply) {
        const body = isReadBody(request.body)
          ? request.body
          : { rawBody: new Uint8Array() };
        const head = requestHead(
          {
            method: request.method,
            target: request.originalUrl,
            path: pathBelow(depth, request.url),
            headers: request.raw.headers,
            remoteAddress: request.ip,
            isSecure: request.protocol === "https",
          },
          options,
        );
        const answer = await handler({ ...head, ...body });
        reply.code(answer.status);
        for (const [name, value] of Object.entries(answer.headers)) {
          reply.header(name, value);
        }
        // The unread rest of the body must not be taken for the next request.
        if (body.bodyTooLarge) reply.header("connection", "close");
        // As octets: to JSON in a string Fastify would add a charset, which
        // Python forward peers cannot read.
        reply.send(Buffer.from(answer.body));
        return reply;
      },
    });
  };
}

/**
 * A path without its first segments: those of the prefix, by their number,
 * because parameters may stand in it.
 */
function pathBelow(depth: number, url: string): string {
  const mounted = new RegExp(`^(?:/+[^/?]*){${depth}}`).exec(url);
  return url.slice(mounted?.[0].length ?? 0);
}

interface FastifyScope {
  readonly prefix: string;
  readonly supportedMethods: string[];
  addHook(
    name: "onRequest",
    hook: (
      request: FastifyRequest,
      reply: FastifyReply,
      done: () => void,
    ) => void,
  ): void;
  removeAllContentTypeParsers(): void;
  addContentTypeParser(
    contentType: string,
    parser: (request: unknown, payload: IncomingMessage) => Promise<unknown>,
  ): void;
  route(options: {
    method: string[];
    exposeHeadRoute: boolean;
    url: string;
    handler(request: FastifyRequest, reply: FastifyReply): Promise<unknown>;
  }): void;
}

interface FastifyRequest {
  readonly method: string;
  readonly originalUrl: string;
  /** As `originalUrl`, unless the application rewrote it. */
  readonly url: string;
  readonly raw: IncomingMessage;
  /** Setting it adds to what the request came with, in `raw`. */
  headers: IncomingHttpHeaders;
  /** Follows the application's `trustProxy` setting. */
  readonly ip: string;
  readonly protocol: string;
  readonly body?: unknown;
}

interface FastifyReply {
  callNotFound(): unknown;
  code(status: number): unknown;
  header(name: string, value: string): unknown;
  send(body: Uint8Array): unknown;
}

type ReadBody = Awaited<ReturnType<typeof readNodeBody>>;

function isReadBody(body: unknown): body is ReadBody {
  return typeof body === "object" && body !== null && "rawBody" in body;
}
