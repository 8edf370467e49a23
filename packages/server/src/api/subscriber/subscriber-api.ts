/** What subscribers reach through links in their messages. No log-in. */

import { declareOperation } from "../authorization.ts";
import type { ErrorAnswerPorts } from "../error-answer.ts";
import type { HttpApp } from "../http-app.ts";
import { certificateRoutes } from "./certificates.ts";
import { confirmationRoutes } from "./confirmation.ts";
import { createSubscriberErrorAnswer } from "./error-answers.ts";
import { pageRoutes } from "./pages.ts";
import type { SubscriberPorts } from "./ports.ts";
import { unsubscriptionRoutes } from "./unsubscription.ts";

export function registerSubscriberApi(
  app: HttpApp,
  ports: SubscriberPorts & ErrorAnswerPorts,
): void {
  app.register(async (api: HttpApp) => {
    declareOperation(api, "public");
    api.setErrorHandler(createSubscriberErrorAnswer(ports));
    confirmationRoutes(api, ports);
    unsubscriptionRoutes(api, ports);
    pageRoutes(api, ports);
    certificateRoutes(api, ports);
  });
}
