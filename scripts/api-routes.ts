/** The routes of `/api/v2` with their schemas, without a server behind them. */

import fastify, { type FastifySchema } from "fastify";
import { emailProtocol } from "../packages/channels/src/email/protocol.ts";
import {
  httpProtocol,
  httpsProtocol,
} from "../packages/channels/src/http/protocol.ts";
import { pullProtocol } from "../packages/channels/src/pull/protocol.ts";
import { smsProtocol } from "../packages/channels/src/sms/protocol.ts";
import { createProtocols } from "../packages/core/src/subscriptions/protocol.ts";
import {
  registerV2Api,
  type V2ApiPorts,
} from "../packages/server/src/api/v2/v2-api.ts";
import { withoutOwnCompilers } from "../packages/server/src/api/validation.ts";
import type { Operation } from "../packages/server/src/identity/permissions.ts";
import { sandboxRoutes } from "../packages/server/src/sandbox/api/sandbox-routes.ts";
import type { Sandbox } from "../packages/server/src/sandbox/sandbox.ts";

/** One method at one path. */
export interface ApiRoute {
  readonly method: string;
  /** With `{parameters}`. */
  readonly path: string;
  readonly operation: Operation;
  /** Whose own credentials may call it, too. */
  readonly account?: "publisher" | "subscriber";
  readonly schema: FastifySchema;
}

/** In the order in which they are registered; those of the sandbox are there. */
export async function listApiRoutes(): Promise<readonly ApiRoute[]> {
  const routes: ApiRoute[] = [];
  await using app = fastify({
    exposeHeadRoutes: false,
    schemaController: withoutOwnCompilers,
  });
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => () => "");
  app.addHook("onRoute", ({ method, url, config, schema = {} }) => {
    if (schema.hide) return;
    const path = url
      .replace(/(?<!:):(\w+)/g, "{$1}")
      // A colon that is one stands doubled.
      .replaceAll("::", ":")
      .replace(/\/$/, "");
    const operation = config?.operation ?? "public";
    routes.push({
      method: [method].join(),
      path,
      operation,
      ...(config?.account && { account: config.account }),
      schema,
    });
  });
  const ports = {
    protocols: createProtocols([
      httpProtocol,
      httpsProtocol,
      emailProtocol,
      smsProtocol,
      pullProtocol,
    ]),
    stored: {} as V2ApiPorts["stored"],
    extraRoutes: (api) =>
      sandboxRoutes(api, {} as Sandbox, () => "http://localhost"),
  } satisfies Partial<V2ApiPorts>;
  // Whoever adds routes keeps the other ports for requests, and none comes.
  registerV2Api(app, ports as unknown as V2ApiPorts);
  await app.ready();
  return routes;
}
