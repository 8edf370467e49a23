/** Where the `type` of a problem leads: what each code means. No log-in. */

import { RequestError } from "../../errors.ts";
import { Type } from "../../json-schema.ts";
import type { HttpApp } from "../http-app.ts";
import { refusals } from "./error-answers.ts";
import { problemCodes, problemStatus, problemTitle } from "./problem-codes.ts";

const ProblemKind = Type.Object(
  {
    code: Type.String({ description: "Stable name" }),
    title: Type.String({ description: "What it means" }),
    status: Type.Integer({
      description: "The HTTP status it is answered with",
    }),
  },
  { title: "ProblemKind" },
);

export function problemRoutes(app: HttpApp): void {
  const kinds = problemCodes.map((code) => ({
    code,
    title: problemTitle(code),
    status: problemStatus(code),
  }));

  app.get(
    "/problems",
    {
      config: { operation: "public" },
      schema: {
        summary: "Lists all problems",
        tags: ["Service"],
        security: [],
        response: {
          200: Type.Object({
            problems: Type.Array(ProblemKind, { description: "All there are" }),
          }),
        },
      },
    },
    async () => ({ problems: kinds }),
  );

  app.get(
    "/problems/:code",
    {
      config: { operation: "public" },
      schema: {
        summary: "Explains a problem",
        tags: ["Service"],
        security: [],
        params: Type.Object({
          code: Type.String({ description: "Of the problem" }),
        }),
        response: { 200: ProblemKind, ...refusals },
      },
    },
    async (request) => {
      const kind = kinds.find(({ code }) => code === request.params.code);
      if (kind) return kind;
      throw new RequestError("ROUTE_NOT_FOUND", "There is no such problem.");
    },
  );
}
