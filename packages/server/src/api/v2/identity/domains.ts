/** Domains, for administrators and operators. */

import type { Domain } from "@carillon/core";
import type { FastifyRequest } from "fastify";
import type { Static } from "typebox";
import type { AdministrationWithin } from "../../../identity/administration/administration.ts";
import { Type } from "../../../json-schema.ts";
import { requestReach } from "../../authorization.ts";
import type { HttpApp } from "../../http-app.ts";
import { refusals } from "../error-answers.ts";
import { idOf, name, Switch } from "./schemas.ts";

const DomainBody = Type.Object(
  {
    id: Type.String({ description: "Of the domain" }),
    name: Type.String({ description: "Unique in the installation" }),
    enabled: Type.Boolean({ description: "False: nobody acts in it" }),
  },
  { title: "Domain" },
);

const params = Type.Object({ domainId: idOf("Id of a domain") });

export function domainRoutes(app: HttpApp, within: AdministrationWithin): void {
  const tags = ["Identity"];
  const domainsOf = (request: FastifyRequest) =>
    within(requestReach(request)).domains;

  app.post(
    "/domains",
    {
      config: { operation: "domains.write" },
      schema: {
        summary: "Creates a domain",
        tags,
        body: Type.Object({ name }),
        response: { 201: DomainBody, ...refusals },
      },
    },
    async (request, reply) =>
      reply
        .code(201)
        .send(toBody(await domainsOf(request).create(request.body))),
  );

  app.get(
    "/domains",
    {
      config: { operation: "domains.read" },
      schema: {
        summary: "Lists domains",
        tags,
        response: {
          200: Type.Object({
            domains: Type.Array(DomainBody, {
              description: "Those the caller reaches",
            }),
          }),
          ...refusals,
        },
      },
    },
    async (request) => ({
      domains: (await domainsOf(request).list()).map(toBody),
    }),
  );

  app.get(
    "/domains/:domainId",
    {
      config: { operation: "domains.read" },
      schema: {
        summary: "Shows a domain",
        tags,
        params,
        response: { 200: DomainBody, ...refusals },
      },
    },
    async (request) =>
      toBody(await domainsOf(request).get(request.params.domainId)),
  );

  app.patch(
    "/domains/:domainId",
    {
      config: { operation: "domains.write" },
      schema: {
        summary: "Enables or disables a domain with all its users and projects",
        tags,
        params,
        body: Switch,
        response: { 200: DomainBody, ...refusals },
      },
    },
    async (request) =>
      toBody(
        await domainsOf(request).setEnabled(
          request.params.domainId,
          request.body.enabled,
        ),
      ),
  );

  app.delete(
    "/domains/:domainId",
    {
      config: { operation: "domains.write" },
      schema: {
        summary: "Deletes a domain that has no users and projects",
        tags,
        params,
        response: { 204: Type.Null(), ...refusals },
      },
    },
    async (request, reply) => {
      await domainsOf(request).delete(request.params.domainId);
      return reply.code(204).send(null);
    },
  );
}

function toBody({ id, name, disabled }: Domain): Static<typeof DomainBody> {
  return { id, name, enabled: !disabled };
}
