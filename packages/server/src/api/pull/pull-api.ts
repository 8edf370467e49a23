/**
 * The Notipy protocol, as the clients of that service speak it: publishers post,
 * subscribers poll. Our own API has more; see `v2/pull/`.
 */

import type {
  Mailboxes,
  PullPublishers,
  PullSubscribers,
} from "@carillon/core";
import { RequestError } from "../../errors.ts";
import type { PullAccountPorts } from "../../pull/account-credentials.ts";
import { declareOperation } from "../authorization.ts";
import type { ErrorAnswerPorts } from "../error-answer.ts";
import type { HttpApp } from "../http-app.ts";
import { createSubscriberErrorAnswer } from "../subscriber/error-answers.ts";
import { createPullErrorAnswer } from "./error-answers.ts";
import { guidePageRoutes } from "./guide-pages.ts";
import { notificationRoutes } from "./notifications.ts";

export interface PullApiPorts extends PullAccountPorts {
  readonly mailboxes: Pick<Mailboxes, "receiveLegacy" | "confirm">;
  readonly pullPublishers: Pick<PullPublishers, "authenticate" | "publish">;
  readonly pullSubscribers: Pick<PullSubscribers, "authenticate">;
}

export function registerPullApi(
  app: HttpApp,
  ports: PullApiPorts & ErrorAnswerPorts,
): void {
  const sendError = createPullErrorAnswer(ports);
  app.register(
    async (api: HttpApp) => {
      // Credentials are those of accounts; each route asks for its own kind.
      declareOperation(api, "public");
      api.setErrorHandler(sendError);
      api.setNotFoundHandler((request, reply) =>
        sendError(new RequestError("ROUTE_NOT_FOUND"), request, reply),
      );
      // Clients name types of their own, or none: it is JSON all the same.
      api.addHook("onRequest", (request, _reply, done) => {
        request.headers["content-type"] = "application/json";
        done();
      });
      notificationRoutes(api, ports);
    },
    { prefix: "/api/v1" },
  );
  app.register(
    async (pages: HttpApp) => {
      declareOperation(pages, "public");
      pages.setErrorHandler(createSubscriberErrorAnswer(ports));
      guidePageRoutes(pages);
    },
    { prefix: "/notifi" },
  );
}
