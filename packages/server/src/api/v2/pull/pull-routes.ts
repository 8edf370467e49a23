/** All of our own API that is for those who fetch, and publish by categories. */

import type { HttpApp } from "../../http-app.ts";
import { deadMessageRoutes } from "./dead-messages.ts";
import { mailboxStreamRoutes } from "./event-stream.ts";
import { pullMessageRoutes } from "./messages.ts";
import type { PullPorts } from "./ports.ts";
import { publisherMessageRoutes } from "./publisher-messages.ts";
import { publisherRoutes } from "./publishers.ts";
import { subscriberRoutes } from "./subscribers.ts";
import { mailboxWebSocketRoutes, type WebSocketPorts } from "./web-socket.ts";

export type PullRoutesPorts = PullPorts & WebSocketPorts;

export function pullRoutes(app: HttpApp, ports: PullRoutesPorts): void {
  publisherRoutes(app, ports);
  publisherMessageRoutes(app, ports);
  subscriberRoutes(app, ports);
  pullMessageRoutes(app, ports);
  deadMessageRoutes(app, ports);
  mailboxStreamRoutes(app, ports);
  mailboxWebSocketRoutes(app, ports);
}
