/** Our own API under `/api/v2`. */

import type { Logger } from "@carillon/core";
import { RequestError } from "../../errors.ts";
import type { Identity } from "../../identity/identity.ts";
import { createAuthenticationHook } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { deliveryRoutes } from "./deliveries.ts";
import { messageRoutes } from "./messages.ts";
import { describeRoutes, openapiRoutes } from "./openapi.ts";
import type { V2Ports } from "./ports.ts";
import { createProblemAnswer } from "./problem-answers.ts";
import { problemRoutes } from "./problems.ts";
import { whoamiRoutes } from "./whoami.ts";

export interface V2FacePorts extends V2Ports {
  readonly identity: Identity;
  readonly logger: Logger;
  readonly version: string;
  /** Routes of other parts of the server that stand under the same log-in. */
  readonly extraRoutes?: ((app: HttpApp) => void) | undefined;
}

export function v2Face(app: HttpApp, ports: V2FacePorts): void {
  const sendProblem = createProblemAnswer(ports);
  app.register(
    async (face: HttpApp) => {
      face.setErrorHandler(sendProblem);
      face.setNotFoundHandler((request, reply) =>
        sendProblem(new RequestError("ROUTE_NOT_FOUND"), request, reply),
      );
      describeRoutes(face, ports.version);
      // Once the description looks on.
      face.after(() => {
        openapiRoutes(face);
        problemRoutes(face);
        face.register(async (known: HttpApp) => {
          known.addHook(
            "preValidation",
            createAuthenticationHook(ports.identity),
          );
          messageRoutes(known, ports);
          deliveryRoutes(known, ports);
          whoamiRoutes(known, ports);
          ports.extraRoutes?.(known);
        });
      });
    },
    { prefix: "/api/v2" },
  );
}
