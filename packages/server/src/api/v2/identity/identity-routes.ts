/** What administrators and operators manage: who may do what here. */

import type { AdministrationWithin } from "../../../identity/administration/administration.ts";
import type { HttpApp } from "../../http-app.ts";
import { accessKeyRoutes } from "./access-keys.ts";
import { domainRoutes } from "./domains.ts";
import { projectRoutes } from "./projects.ts";
import { userRoutes } from "./users.ts";

export function identityRoutes(
  app: HttpApp,
  within: AdministrationWithin,
): void {
  domainRoutes(app, within);
  projectRoutes(app, within);
  userRoutes(app, within);
  accessKeyRoutes(app, within);
}
