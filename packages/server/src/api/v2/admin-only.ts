/** Keeps members out of what administrators do. */

import type { FastifyRequest } from "fastify";
import { RequestError } from "../../errors.ts";
import { principalOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";

/** For plugins behind the authentication hook. */
export function admitAdminsOnly(app: HttpApp): void {
  app.addHook("preValidation", (request: FastifyRequest, _reply, done) => {
    if (principalOf(request).role === "admin") done();
    else {
      done(
        new RequestError(
          "PERMISSION_DENIED",
          "Only administrators may do this.",
        ),
      );
    }
  });
}
