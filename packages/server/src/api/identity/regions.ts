/** The one region there is. */

import { RequestError } from "../../errors.ts";
import { Type } from "../../json-schema.ts";
import type { HttpApp } from "../http-app.ts";
import type { IdentityPorts } from "./ports.ts";

const params = Type.Object({ region_id: Type.String() });

export function regionRoutes(app: HttpApp, { region }: IdentityPorts): void {
  const body = { id: region, type: "public" };

  app.get("/regions", { config: { operation: "service.read" } }, async () => ({
    regions: [body],
    links: {},
  }));

  app.get(
    "/regions/:region_id",
    { config: { operation: "service.read" }, schema: { params } },
    async (request) => {
      if (request.params.region_id === region) return { region: body };
      throw new RequestError("ROUTE_NOT_FOUND", "Could not find that region.");
    },
  );
}
