/** Certificates by which subscribers check signatures. */

import type { FastifyReply } from "fastify";
import { RequestError } from "../../errors.ts";
import { Type } from "../../json-schema.ts";
import type { HttpApp } from "../http-app.ts";
import type { SubscriberPorts } from "./ports.ts";

const certificateParams = Type.Object({ certificate_id: Type.String() });

export function certificateRoutes(
  app: HttpApp,
  { certificates }: SubscriberPorts,
): void {
  async function download(certificateId: string, reply: FastifyReply) {
    const pem = /^[A-Za-z0-9._-]{1,160}$/.test(certificateId)
      ? await certificates.find(certificateId)
      : undefined;
    if (pem === undefined) {
      throw new RequestError(
        "ROUTE_NOT_FOUND",
        "There is no such certificate.",
      );
    }
    return (
      reply
        .header("content-type", "application/octet-stream")
        // An id names the same certificate for ever.
        .header("cache-control", "public, max-age=86400, immutable")
        .send(pem)
    );
  }

  const options = { schema: { params: certificateParams } };
  app.get("/smn/:certificate_id", options, (request, reply) =>
    download(request.params.certificate_id, reply),
  );
  app.get(
    "/v2/notifications/certifications/download/:certificate_id",
    options,
    (request, reply) => download(request.params.certificate_id, reply),
  );
}
