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
import {
  DEFAULT_MAX_BODY_BYTES,
  type ReceiverHandler,
} from "./receiver-handler.ts";

export type { AdapterOptions } from "./adapters/node-request.ts";

/**
 * What a Fastify instance is recognised by. Its real signatures are overloaded
 * and generic beyond what a structural type can repeat.
 */
export interface FastifyInstanceLike {
  removeAllContentTypeParsers: (...args: never[]) => unknown;
  addContentTypeParser: (...args: never[]) => unknown;
  route: (...args: never[]) => unknown;
}

/**
 * A plugin for `app.register`. Its body parser stays inside the plugin.
 *
 * @example
 * app.register(toFastifyPlugin(gateway.receiverHandler({ prefix })));
 */
export function toFastifyPlugin(
  handler: ReceiverHandler,
  options: AdapterOptions = {},
): (app: FastifyInstanceLike) => Promise<void> {
  const { maxBodyBytes = DEFAULT_MAX_BODY_BYTES } = options;
  return async (instance) => {
    // Fastify's documented signatures, as far as they are used here.
    const app = instance as FastifyInstanceLike & FastifyScope;
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", (_request, payload) =>
      readNodeBody(payload, maxBodyBytes),
    );
    app.route({
      method: ["GET", "POST", "PUT"],
      url: `${handler.prefix}/*`,
      async handler(request, reply) {
        const body = isReadBody(request.body)
          ? request.body
          : { rawBody: new Uint8Array() };
        const answer = await handler({
          ...requestHead(
            request.method,
            request.originalUrl,
            request.headers,
            request.ip,
            request.protocol === "https",
            options,
          ),
          ...body,
        });
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

interface FastifyScope {
  removeAllContentTypeParsers(): void;
  addContentTypeParser(
    contentType: string,
    parser: (request: unknown, payload: IncomingMessage) => Promise<unknown>,
  ): void;
  route(options: {
    method: string[];
    url: string;
    handler(request: FastifyRequest, reply: FastifyReply): Promise<unknown>;
  }): void;
}

interface FastifyRequest {
  readonly method: string;
  readonly originalUrl: string;
  readonly headers: IncomingHttpHeaders;
  /** Follows the application's `trustProxy` setting. */
  readonly ip: string;
  readonly protocol: string;
  readonly body?: unknown;
}

interface FastifyReply {
  code(status: number): unknown;
  header(name: string, value: string): unknown;
  send(body: Uint8Array): unknown;
}

type ReadBody = Awaited<ReturnType<typeof readNodeBody>>;

function isReadBody(body: unknown): body is ReadBody {
  return typeof body === "object" && body !== null && "rawBody" in body;
}
