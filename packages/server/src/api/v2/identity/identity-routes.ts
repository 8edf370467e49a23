/** What administrators manage: who may do what here. */

import type { Administration } from "../../../identity/administration/administration.ts";
import type { HttpApp } from "../../http-app.ts";
import { accessKeyRoutes } from "./access-keys.ts";
import { domainRoutes } from "./domains.ts";
import { projectRoutes } from "./projects.ts";
import { userRoutes } from "./users.ts";

/** For a plugin that admits administrators only. */
export function identityRoutes(
  app: HttpApp,
  administration: Administration,
): void {
  domainRoutes(app, administration);
  projectRoutes(app, administration);
  userRoutes(app, administration);
  accessKeyRoutes(app, administration);
}
